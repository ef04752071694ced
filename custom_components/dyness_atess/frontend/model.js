// What a picture of the integration means on the screen: numbers, steps of colour and what is open. Pure.

export const STEPS = [2, 5, 10, 20, 30]; // mV from the mean of the module
const OLD = 10;
const STALE = 30; // minutes
const NEVER_FOLDED = 3; // so many modules stand open
const ALIKE = 5; // mV that the spreads of modules that are alike differ by
const MOST_OPEN = 3;
const SAME_SAMPLE = 60_000; // ms that the samples of one upload are apart at most
const LEAST_AXIS = 0.02; // V: the comparison shows no smaller differences as large

const known = (values) => (values ?? []).filter((value) => Number.isFinite(value));

/** How many steps a deviation is from the middle, negative below it. */
export function step(deviation) {
  return Math.sign(deviation) * STEPS.filter((least) => Math.abs(deviation) >= least).length;
}

/** Columns for so many tiles where at most `most` fit: full rows if that is possible. */
export function columns(count, most) {
  for (let number = Math.min(count, most); number >= most / 2; number--) if (count % number === 0) return number;
  return Math.ceil(count / Math.ceil(count / most)) || 1;
}

/** A module with its extremes and the tiles of its cells. */
export function module(source) {
  const voltages = known(source.cells);
  const [lowest, highest] = [Math.min(...voltages), Math.max(...voltages)];
  const mean = voltages.reduce((sum, voltage) => sum + voltage, 0) / voltages.length;
  const mark = (index) =>
    lowest === highest ? null : index === source.cells.indexOf(highest) ? "highest" : index === source.cells.indexOf(lowest) ? "lowest" : null;
  const cells = (source.cells ?? []).map((value, index) => {
    const voltage = Number.isFinite(value) ? value : null;
    const deviation = voltage === null ? null : Math.round((voltage - mean) * 1000);
    const entity = source.entities?.[index] ?? null;
    return { number: index + 1, voltage, deviation, step: step(deviation ?? 0), mark: voltage === null ? null : mark(index), entity };
  });
  const temperatures = known(source.temperatures);
  return {
    ...source,
    cells,
    alarms: source.alarms ?? [],
    lowest: voltages.length ? lowest : null,
    highest: voltages.length ? highest : null,
    mean: voltages.length ? mean : null,
    spread: voltages.length ? Math.round((highest - lowest) * 1000) : null,
    temperature: temperatures.length ? [Math.min(...temperatures), Math.max(...temperatures)] : null,
  };
}

const byWidth = (modules) => modules.filter((module) => module.spread !== null).sort((one, other) => other.spread - one.spread);
const median = (sorted) => sorted[Math.floor(sorted.length / 2)]?.spread;

/** The ids of the modules that are open at first: all of a few, of many the widest and those with an alarm. */
export function open(modules) {
  if (modules.length <= NEVER_FOLDED) return new Set(modules.map((module) => module.id));
  const widest = byWidth(modules);
  const apart = widest.filter((module, place) => place === 0 || (place < MOST_OPEN && module.spread - median(widest) > ALIKE));
  return new Set([...apart, ...modules.filter((module) => module.alarms.length)].map((module) => module.id));
}

/** Lowest, mean and highest of each module as parts of one axis; nothing where there is nothing to compare. */
export function comparison(modules) {
  const measured = modules.filter((module) => module.mean !== null);
  if (measured.length < 2) return null;
  const lowest = Math.min(...measured.map((module) => module.lowest));
  const highest = Math.max(...measured.map((module) => module.highest));
  const missing = Math.max(LEAST_AXIS - (highest - lowest), 0) / 2;
  const [from, to] = [lowest - missing, highest + missing];
  const part = (voltage) => (voltage - from) / (to - from);
  const sorted = byWidth(measured);
  const [widest] = sorted;
  const isApart = widest.spread - median(sorted) > ALIKE;
  const newest = Math.max(...measured.map((module) => new Date(module.sampled_at ?? 0)));
  return {
    from,
    to,
    widest,
    isApart,
    bars: measured.map((module) => ({
      number: module.number,
      widest: isApart && module === widest,
      older: newest - new Date(module.sampled_at ?? 0) > SAME_SAMPLE,
      lowest: part(module.lowest),
      mean: part(module.mean),
      highest: part(module.highest),
    })),
  };
}

/** Whole minutes since a sample, and what is to be thought of them. */
export function age(sampledAt, now) {
  if (!sampledAt) return null;
  const minutes = Math.max(Math.floor((now - new Date(sampledAt)) / 60_000), 0);
  return { minutes, level: minutes > STALE ? "stale" : minutes > OLD ? "old" : "fresh" };
}

/** When the battery is full or at its reserve, to five minutes: nothing during an outage, nor what has passed. */
export function arrival(picture, now) {
  const [kind, minutes] = picture.time_to_full != null ? ["full", picture.time_to_full] : ["reserve", picture.time_to_empty];
  if (minutes == null || picture.outage || !picture.sampled_at) return null;
  const grid = 5 * 60_000;
  const time = new Date(Math.round((new Date(picture.sampled_at).getTime() + minutes * 60_000) / grid) * grid);
  return time > now ? { kind, time } : null;
}

/** "charging", "discharging" or "idle"; null where nobody knows. */
export function direction(picture) {
  const flow = picture.power ?? picture.current;
  return picture.status ?? (Number.isFinite(flow) ? (flow < 0 ? "charging" : flow > 0 ? "discharging" : "idle") : null);
}

/** What flows through a converter, with bars on one scale: inputs, battery and output. */
export function flows(picture) {
  const power = (part) => part.power ?? (part.voltage != null && part.current != null ? part.voltage * part.current : null);
  const part = (kind, source, number = null) => ({ kind, number, voltage: source.voltage, current: source.current, power: power(source) });
  const parts = (picture.inputs ?? []).map((input) => part("input", input, input.number));
  if (picture.soc != null || picture.power != null || picture.voltage != null) parts.push(part("battery", picture));
  if (picture.output) parts.push(part("output", picture.output));
  const most = Math.max(...parts.map((each) => Math.abs(each.power ?? 0)), 1);
  return parts.map((each) => ({ ...each, part: Math.abs(each.power ?? 0) / most }));
}

/** What the card shows of a picture. */
export function view(picture) {
  const modules = (picture.modules ?? []).map(module).sort((one, other) => (one.number ?? 0) - (other.number ?? 0));
  const alarms = picture.alarms ?? [];
  return {
    modules,
    open: open(modules),
    comparison: comparison(modules),
    alarms,
    serious: alarms.filter((alarm) => !alarm.expected),
    cells: modules.some((each) => each.mean !== null),
  };
}
