// Pictures as the websocket command sends them, of houses that are rare or hard to bring about.

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

/** Numbers from 0 to 1 that look like chance and are the same each time. */
function chance(seed) {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

function module(number, count, { mean = 3.331, wide = 4, weak = null, seed = number * 7919, soc = 97, current = -22, alarms = [] } = {}) {
  const next = chance(seed);
  const cells = Array.from({ length: count }, () => Math.round(1000 * mean + (next() - 0.5) * 2 * wide) / 1000);
  if (weak) for (const [cell, millivolts] of Object.entries(weak)) cells[cell] = Math.round(1000 * mean + millivolts) / 1000;
  return {
    id: `m${number}`,
    number,
    soc,
    voltage: Math.round(cells.reduce((sum, cell) => sum + cell) * 10) / 10,
    current,
    sampled_at: ago(3),
    cells,
    entities: cells.map((_, index) => (number === 1 ? `sensor.cell_${index + 1}` : null)),
    temperatures: [21.4, 22.8, 21.9],
    alarms,
  };
}

const base = {
  version: "1.0.0",
  state: "ready",
  kind: "battery",
  outage: null,
  until: null,
  sampled_at: ago(3),
  soc: 97,
  power: -1200,
  current: -22,
  voltage: 53.2,
  status: "charging",
  time_to_full: 42,
  time_to_empty: null,
  extremes: { cell_voltage_max: 3.34, cell_voltage_min: 3.31, cell_voltage_spread: 30 },
  alarms: [],
  inputs: [],
  modules: [],
};

const tower = {
  ...base,
  name: "Tower T14 in the cellar",
  power: 12_640,
  current: 31.1,
  voltage: 412.3,
  soc: 64,
  status: "discharging",
  time_to_full: null,
  time_to_empty: 312,
  alarms: [
    { key: "cell_voltage_low_protection", protection: true, expected: false, module: 5, entity_id: "binary_sensor.low" },
    { key: "cell_voltage_imbalance", protection: false, expected: false, module: null, entity_id: null },
  ],
  modules: Array.from({ length: 13 }, (_, index) =>
    module(index + 1, 30, { soc: 64 + (index % 3) - 1, current: 31.1, mean: 3.287 + ((index * 7) % 5) / 1000, wide: 3 + (index % 4), weak: index === 4 ? { 6: -37, 20: 18, 3: -13 } : index === 9 ? { 12: 23 } : null }),
  ),
};

const single = {
  ...base,
  name: "PowerHaus",
  alarms: [{ key: "module_voltage_high", protection: false, expected: true, module: 1, entity_id: "binary_sensor.high" }],
  modules: [module(1, 16, { wide: 9, mean: 3.3394, weak: { 8: -12, 2: 11 } })],
};

export const pictures = {
  tower,
  single,
  three: { ...base, name: "DL5.0C", modules: [1, 2, 3].map((number) => module(number, 16, { wide: 3 + number * 5 })) },
  // Modules of a tower tell their cells and temperatures only.
  bare: { ...tower, modules: tower.modules.map((each) => ({ ...each, sampled_at: ago(each.number < 9 ? 3 : 8), soc: null, voltage: null, current: null })) },
  outage: { ...tower, name: "Tower", outage: "cloud", sampled_at: ago(47), alarms: [] },
  calls: { ...single, outage: "calls", until: new Date(Date.now() + 25 * 60_000).toISOString(), sampled_at: ago(18) },
  blind: { ...base, name: "Tower T21", modules: [], time_to_full: null },
  never: { ...base, name: "Tower T21", sampled_at: null, soc: null, power: null, current: null, voltage: null, status: null, time_to_full: null, extremes: {}, outage: "device" },
  gaps: { ...single, name: "Gaps", modules: [{ ...single.modules[0], cells: [3.3, null, 3.31, 3.29], entities: [], temperatures: null, soc: null, voltage: null, current: null }] },
  starting: { version: "1.0.0", state: "starting" },
  gone: { version: "1.0.0", state: "gone" },
  converter: {
    ...base,
    name: "PBD250 with a name that is rather long for a phone",
    kind: "converter",
    power: -2140,
    current: -5.1,
    voltage: 420,
    soc: 71,
    time_to_full: 188,
    inputs: [
      { number: 1, voltage: 612, current: 17.9, power: 10_955 },
      { number: 2, voltage: 598, current: 5.1, power: 3050 },
      { number: 3, voltage: 0, current: 0, power: 0 },
    ],
    output: { voltage: 689, current: 16.4, power: 11_300 },
  },
};

/** What the recorder has of a day: full at noon, empty in the evening, an outage of an hour, and two hours without a change. */
const samples = Array.from({ length: 288 }, (_, place) => ({ place, lu: Date.now() / 1000 - 300 * (287 - place), turn: (place / 288) * 2 * Math.PI }));
const kept = samples.filter(({ place }) => (place <= 100 || place > 112) && (place <= 200 || place > 224));
const recorded = (value) => kept.map(({ place, lu, turn }) => ({ lu, s: place === 100 ? "unavailable" : value(turn).toFixed(0) }));
export const day = {
  "sensor.soc": recorded((turn) => 55 - 40 * Math.cos(turn)),
  "sensor.power": recorded((turn) => -12_600 * Math.sin(turn)),
};
