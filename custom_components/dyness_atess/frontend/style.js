// Tiles have colours of their own, light and dark, each with a text colour that can be read on it.

const LIGHT = {
  "-5": ["#3f87c6", "#000"], "-4": ["#6ba7d8", "#111"], "-3": ["#97c3e6", "#111"], "-2": ["#bcd9ef", "#111"], "-1": ["#dceaf5", "#111"],
  0: ["#ececea", "#111"],
  1: ["#fbe9d0", "#111"], 2: ["#fad6a5", "#111"], 3: ["#f6bb6c", "#111"], 4: ["#ee9c3e", "#111"], 5: ["#e07b14", "#000"],
};
const DARK = {
  "-5": ["#8fc4f7", "#111"], "-4": ["#5b9bd8", "#000"], "-3": ["#27639f", "#fff"], "-2": ["#2a4f75", "#fff"], "-1": ["#2f4357", "#fff"],
  0: ["#3a3d41", "#fff"],
  1: ["#51432f", "#fff"], 2: ["#6d4e20", "#fff"], 3: ["#8d5a10", "#fff"], 4: ["#dd882b", "#000"], 5: ["#ffb866", "#111"],
};

const colours = (host, table) =>
  Object.entries(table)
    .map(([step, [surface, text]]) => `${host} [data-step="${step}"] { --surface: ${surface}; --on-surface: ${text}; }`)
    .join("\n");

const css = `
:host { display: block; height: 100%; }
:host([dark]) { --kept: 40%; }
* { box-sizing: border-box; }
ha-card { display: block; height: 100%; overflow: auto; container-type: inline-size; color: var(--primary-text-color, #212121); }
ha-card:not(:defined) {
  background: var(--ha-card-background, var(--card-background-color, #fff));
  border: 1px solid var(--divider-color, #e0e0e0); border-radius: var(--ha-card-border-radius, 0.75rem);
}
ha-alert { display: block; margin-block-end: var(--ha-space-3, 0.75rem); }
ha-alert:not(:defined) { padding: 0.5rem 0.75rem; border-inline-start: 0.25rem solid var(--warning-color, #ffa600); }
.body {
  padding: var(--ha-space-4, 1rem); font-family: var(--ha-font-family-body, sans-serif);
  font-size: var(--ha-font-size-m, 0.875rem); line-height: 1.4; font-variant-numeric: tabular-nums;
}
h2, h3, p, ul, figure { margin: 0; padding: 0; font: inherit; }
ul { list-style: none; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: start; }
:focus-visible { outline: 0.15rem solid var(--primary-color, #009ac7); outline-offset: 0.1rem; }
svg { flex: none; vertical-align: middle; }
.quiet { color: var(--secondary-text-color, #727272); }
.figure { direction: ltr; unicode-bidi: isolate; white-space: nowrap; }
.hidden { position: absolute; inset: 0 auto auto 0; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

header { margin-block-end: var(--ha-space-4, 1rem); }
.title { display: flex; align-items: start; justify-content: space-between; gap: 0.75rem; }
h2 { font-size: var(--ha-font-size-l, 1rem); font-weight: var(--ha-font-weight-medium, 500); overflow-wrap: anywhere; }
.chip {
  display: inline-flex; align-items: center; gap: 0.3rem; flex: none; min-block-size: 1.75rem; padding-inline: 0.6rem;
  border-radius: 1rem; border: 1px solid var(--divider-color, #e0e0e0); font-weight: var(--ha-font-weight-medium, 500);
}
.chip.ok svg { color: var(--success-color, #43a047); }
.chip.warning { background: #ffd07a; border-color: #ffd07a; color: #111; }
.chip.protection { background: #b3261e; border-color: #b3261e; color: #fff; }
.now { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 1rem; margin-block-start: 0.5rem; }
.soc { font-size: 2.25rem; line-height: 1.1; font-weight: var(--ha-font-weight-normal, 400); letter-spacing: -0.02em; }
.soc small { font-size: 1.1rem; margin-inline-start: 0.1rem; letter-spacing: 0; }
.flow { flex: 1 1 10rem; }
.flow strong { font-weight: var(--ha-font-weight-medium, 500); }
.flow svg.charging { color: var(--success-color, #43a047); }
.flow svg.discharging { color: var(--info-color, #039be5); }
.age { display: inline-flex; align-items: center; gap: 0.4rem; color: var(--secondary-text-color, #727272); font-size: var(--ha-font-size-s, 0.75rem); }
.age::before { content: ""; inline-size: 0.55rem; block-size: 0.55rem; border-radius: 50%; background: var(--success-color, #43a047); }
.age[data-level="old"]::before { background: var(--disabled-color, #9e9e9e); }
.age[data-level="stale"] { color: inherit; }
.age[data-level="stale"]::before { background: var(--warning-color, #ffa600); border-radius: 0.1rem; }
.alarms { margin-block-start: 0.75rem; border-block: 1px solid var(--divider-color, #e0e0e0); }
.alarms li + li { border-block-start: 1px solid var(--divider-color, #e0e0e0); }
.alarms li > * { display: flex; inline-size: 100%; align-items: center; gap: 0.6rem; padding-block: 0.5rem; }
.alarms button:hover { background: color-mix(in srgb, currentColor 6%, transparent); }
.alarms .words { flex: 1; }
.alarms .words > * { display: block; }
.alarms .protection { color: var(--error-color, #db4437); }
.alarms .warning { color: var(--warning-color, #ffa600); }
.alarms .expected { color: var(--secondary-text-color, #727272); }

.bar { display: block; block-size: 0.5rem; min-inline-size: 1.5rem; border-radius: 0.25rem; background: var(--divider-color, #e0e0e0); overflow: hidden; }
.bar > i { display: block; block-size: 100%; border-radius: inherit; background: var(--state-icon-color, #44739e); }

.strip { display: grid; grid-template-columns: auto 1fr; gap: 0.25rem 0.5rem; margin-block-end: var(--ha-space-4, 1rem); font-size: var(--ha-font-size-s, 0.75rem); direction: ltr; }
.strip figcaption { grid-column: 1 / -1; direction: inherit; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }
.ends { display: flex; flex-direction: column; justify-content: space-between; align-items: end; margin-block: -0.55em; }
.plot { display: flex; block-size: 4.5rem; border-block: 1px solid var(--divider-color, #e0e0e0); }
.plot > div { flex: 1; position: relative; }
.range { position: absolute; inset-inline: calc(50% - min(0.4rem, 35%)); border-radius: 0.2rem; min-block-size: 0.2rem; background: color-mix(in srgb, var(--state-icon-color, #44739e) 75%, transparent); }
.widest .range { background: #e07b14; }
.older :is(.range, .mean) { opacity: 0.4; }
.mean { position: absolute; inset-inline: calc(50% - min(0.65rem, 45%)); block-size: 0.15rem; margin-block-end: -0.075rem; background: var(--primary-text-color, #212121); }
.numbers { grid-column: 2; display: flex; }
.numbers span { flex: 1 1 0; min-inline-size: 0; text-align: center; letter-spacing: -0.03em; font-size: 0.6875rem; }
.widest { font-weight: 700; color: inherit; }

.module { break-inside: avoid; padding-block: 0.3rem; }
.module + .module { border-block-start: 1px solid var(--divider-color, #e0e0e0); }
.figures {
  display: grid; inline-size: 100%; align-items: center; gap: 0.1rem 0.4rem; min-block-size: 1.75rem; direction: ltr; text-align: end;
  grid-template: "number bar soc spread fold" auto "number voltage current temperature ." auto / 1.3rem 1fr auto minmax(3.6rem, auto) 1.25rem;
}
.alone .figures { grid-template: "bar bar spread" auto "voltage current temperature" auto / 1fr auto 1fr; }
.figures.bare { grid-template: "number bar temperature spread fold" auto / 1.3rem 1fr auto minmax(3.6rem, auto) 1.25rem; }
.alone .figures.bare { grid-template: "bar temperature spread" auto / 1fr auto auto; }
.figures .number { grid-area: number; text-align: start; font-weight: var(--ha-font-weight-medium, 500); }
.figures .bar { grid-area: bar; }
.figures > :empty { display: none; }
.figures .cells { grid-area: bar; text-align: start; }
.figures .soc-value { grid-area: soc; }
.figures .voltage { grid-area: voltage; text-align: start; }
.figures .current { grid-area: current; }
.figures .temperature { grid-area: temperature; }
.figures .spread { grid-area: spread; }
.figures .fold { grid-area: fold; }
[aria-expanded="true"] .fold svg { transform: rotate(180deg); }
.spread b { font-weight: var(--ha-font-weight-medium, 500); }

.tiles { display: grid; grid-template-columns: repeat(var(--narrow), 1fr); gap: 2px; margin-block: 0.25rem 0.4rem; direction: ltr; }
.tile {
  position: relative; min-inline-size: 1.5rem; min-block-size: 1.75rem; border-radius: 0.25rem; text-align: center; overflow: hidden;
  font-size: max(0.6875rem, calc(var(--ha-font-size-xs, 0.625rem))); letter-spacing: -0.02em; background: var(--surface); color: var(--on-surface);
}
.tile:focus-visible { outline-offset: -0.15rem; outline-color: var(--on-surface); }
.tile[aria-pressed="true"] { box-shadow: inset 0 0 0 0.15rem var(--on-surface); }
.tile[data-mark] { font-weight: 700; }
.tile[data-mark]::after { content: ""; position: absolute; inset-inline: 0; block-size: 0.25rem; background: currentColor; }
.tile[data-mark="highest"]::after { inset-block-start: 0; clip-path: polygon(50% 0, calc(50% + 0.3rem) 100%, calc(50% - 0.3rem) 100%); inset-block-start: 0.1rem; }
.tile[data-mark="lowest"]::after { inset-block-end: 0.1rem; clip-path: polygon(50% 100%, calc(50% + 0.3rem) 0, calc(50% - 0.3rem) 0); }
.ribbon { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 1px; block-size: 0.4rem; border-radius: 0.2rem; overflow: hidden; margin-block: 0.1rem 0.3rem; direction: ltr; }
.ribbon i { background: var(--surface); }
.faded .tile, .faded .ribbon i { background: color-mix(in srgb, var(--surface) var(--kept, 60%), var(--card-background-color, #fff)); color: var(--primary-text-color, #212121); }
.detail { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.75rem; min-block-size: 2rem; }
.link { color: var(--primary-color, #009ac7); font-weight: var(--ha-font-weight-medium, 500); min-block-size: 1.75rem; text-decoration: underline; text-underline-offset: 0.2em; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 0.75rem; margin-block-start: 0.6rem; font-size: var(--ha-font-size-s, 0.75rem); color: var(--secondary-text-color, #727272); }
.legend .scale { display: flex; direction: ltr; border-radius: 0.2rem; overflow: hidden; }
.legend .scale i { inline-size: 0.8rem; block-size: 0.6rem; background: var(--surface); }
.legend .ends-of-scale { display: inline-flex; align-items: center; gap: 0.35rem; direction: ltr; }

.extremes { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: 0.75rem; }
.extremes dt { color: var(--secondary-text-color, #727272); font-size: var(--ha-font-size-s, 0.75rem); }
dl, dd { margin: 0; }
.extremes dd { font-size: 1.25rem; }
.flows { display: grid; gap: 0.6rem; }
.flows li { display: grid; grid-template-columns: 1fr auto; gap: 0.1rem 0.75rem; align-items: baseline; }
.flows .bar { grid-column: 1 / -1; }
.flows .input .bar > i { background: #ee9c3e; }
.flows .output .bar > i { background: var(--secondary-text-color, #727272); }
.flows .input + .battery, .flows .battery + .output { margin-block-start: 0.25rem; }

@container (min-width: 20rem) { .tiles { grid-template-columns: repeat(var(--medium), 1fr); } }
@container (min-width: 27rem) {
  .tiles { grid-template-columns: repeat(var(--wide), 1fr); }
  .figures { grid-template: "number bar soc voltage current temperature spread fold" auto / 1.3rem minmax(1.5rem, 1fr) 2.6rem 3.4rem 3.9rem 3.9rem 3.8rem 1.25rem; }
  .alone .figures { grid-template: "bar voltage current temperature spread" auto / 1fr 3.6rem 3.9rem 4rem 3.9rem; }
  .figures .voltage { text-align: end; }
}
@container (min-width: 36rem) { .figures { column-gap: 0.8rem; } }
@container (min-width: 60rem) {
  .modules:not(.alone) { columns: 2; column-gap: 2rem; }
  .modules:not(.alone) .module { border-block-start: 1px solid var(--divider-color, #e0e0e0); }
}
@media (forced-colors: active) { .tile { border: 1px solid; } .bar > i, .range, .mean { background: CanvasText; } }
@media (prefers-reduced-motion: no-preference) { .fold svg { transition: transform 0.15s; } }
${colours(":host", LIGHT)}
${colours(":host([dark])", DARK)}
`;

export const style = new CSSStyleSheet();
style.replaceSync(css);
