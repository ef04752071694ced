import assert from "node:assert/strict";
import { test } from "node:test";

import { age, arrival, columns, comparison, direction, flows, module, open, step, view } from "../../custom_components/dyness_atess/frontend/model.js";

const NOW = new Date("2026-11-21T12:00:00Z");
const at = (minutes) => new Date(NOW.getTime() - minutes * 60_000).toISOString();
const spreading = (id, millivolts, alarms = []) => module({ id, number: 1, cells: [3.3, 3.3 + millivolts / 1000], alarms });

test("steps of colour begin at 2, 5, 10, 20 and 30 mV, on both sides", () => {
  const found = [0, 1, 2, 4, 5, 9, 10, 19, 20, 29, 30, 400].map(step);
  assert.deepEqual(found, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
  for (const deviation of [1, 2, 12, 31]) assert.equal(step(-deviation) + step(deviation), 0);
});

test("tiles fill whole rows where their number allows it", () => {
  assert.deepEqual([16, 10, 8].map((most) => columns(30, most)), [15, 10, 6]);
  assert.deepEqual([16, 10, 8].map((most) => columns(16, most)), [16, 8, 8]);
  assert.deepEqual([16, 10, 8].map((most) => columns(15, most)), [15, 5, 5]);
  assert.deepEqual([16, 10, 8].map((most) => columns(13, most)), [13, 7, 7]);
  assert.equal(columns(0, 8), 1);
  for (let count = 1; count < 60; count++) for (const most of [8, 10, 16]) assert.ok(columns(count, most) <= most && columns(count, most) >= 1);
});

test("a module tells how far its cells are from its own mean, and marks one highest and one lowest", () => {
  const { cells, spread, mean, temperature } = module({ id: "a", cells: [3.3, 3.31, 3.31, 3.28], entities: ["sensor.a"], temperatures: [22, null, 20.5] });
  assert.equal(mean.toFixed(3), "3.300");
  assert.deepEqual(cells.map((cell) => cell.deviation), [0, 10, 10, -20]);
  assert.deepEqual(cells.map((cell) => cell.step), [0, 3, 3, -4]);
  assert.deepEqual(cells.map((cell) => cell.mark), [null, "highest", null, "lowest"]);
  assert.deepEqual(cells.map((cell) => cell.entity), ["sensor.a", null, null, null]);
  assert.equal(spread, 30);
  assert.deepEqual(temperature, [20.5, 22]);
});

test("cells that are missing, all alike or unknown are no reason to stumble", () => {
  const gap = module({ id: "a", cells: [null, 3.3, 3.32] });
  assert.deepEqual(gap.cells.map((cell) => cell.deviation), [null, -10, 10]);
  assert.deepEqual(gap.cells.map((cell) => cell.mark), [null, "lowest", "highest"]);
  assert.deepEqual(module({ id: "a", cells: [3.3, 3.3] }).cells.map((cell) => cell.mark), [null, null]);
  for (const source of [{ id: "a" }, { id: "a", cells: [], temperatures: null }, { id: "a", cells: [null] }]) {
    const none = module(source);
    assert.deepEqual([none.mean, none.lowest, none.highest, none.spread, none.temperature], [null, null, null, null, null]);
  }
});

test("few modules stand open; of many the widest, those far from the others and those with an alarm", () => {
  assert.equal(open([spreading("a", 1), spreading("b", 9), spreading("c", 2)]).size, 3);
  assert.deepEqual([...open(["a", "b", "c", "d"].map((id, place) => spreading(id, 10 + place)))], ["d"]);
  const tower = [4, 5, 40, 6, 7, 30, 5, 20, 25].map((spread, place) => spreading(`${place}`, spread));
  assert.deepEqual([...open(tower)].sort(), ["2", "5", "8"]);
  tower[0].alarms = [{ key: "cell_voltage_low" }];
  assert.deepEqual([...open(tower)].sort(), ["0", "2", "5", "8"]);
  assert.equal(open(Array.from({ length: 5 }, (_, id) => module({ id }))).size, 0);
});

test("the comparison has one axis, which makes small differences no larger than they are", () => {
  assert.equal(comparison([spreading("a", 5)]), null);
  assert.equal(comparison([spreading("a", 5), module({ id: "b" })]), null);
  const close = comparison([spreading("a", 2), spreading("b", 4)]);
  assert.equal((close.to - close.from).toFixed(3), "0.020");
  assert.ok(close.bars.every((bar) => bar.lowest > 0.3 && bar.highest < 0.7 && bar.lowest < bar.mean && bar.mean < bar.highest));
  assert.deepEqual([close.isApart, close.widest.id], [false, "b"]);
  assert.ok(close.bars.every((bar) => !bar.widest));
  const far = comparison([spreading("a", 2), spreading("b", 80)]);
  assert.deepEqual(far.bars.map((bar) => bar.widest), [false, true]);
  assert.deepEqual([far.bars[1].lowest, far.bars[1].highest], [0, 1]);
});

test("modules whose last sample is an earlier one are told from the others", () => {
  const measured = (id, minutes) => module({ id, cells: [3.3, 3.31], sampled_at: minutes === null ? null : at(minutes) });
  assert.deepEqual(comparison([measured("a", 0), measured("b", 0.5), measured("c", 5), measured("d", null)]).bars.map((bar) => bar.older), [false, false, true, true]);
});

test("data are fresh for 10 minutes and stale after 30; a clock that is behind makes them no younger than new", () => {
  const levels = [-5, 0, 10, 11, 30, 31].map((minutes) => age(at(minutes), NOW).level);
  assert.deepEqual(levels, ["fresh", "fresh", "fresh", "old", "old", "stale"]);
  assert.equal(age(at(-5), NOW).minutes, 0);
  assert.equal(age(null, NOW), null);
});

test("the time of arrival counts from the sample, to five minutes, and is nothing once it has passed", () => {
  const picture = { sampled_at: at(4), time_to_full: 42, time_to_empty: null };
  assert.deepEqual(arrival(picture, NOW), { kind: "full", time: new Date("2026-11-21T12:40:00Z") });
  assert.equal(arrival({ ...picture, time_to_full: null, time_to_empty: 0 }, NOW), null);
  assert.equal(arrival({ ...picture, time_to_full: null, time_to_empty: 600 }, NOW).kind, "reserve");
  assert.equal(arrival({ ...picture, outage: "cloud" }, NOW), null);
  assert.equal(arrival({ ...picture, time_to_full: null }, NOW), null);
});

test("the direction is the status, else the sign", () => {
  assert.equal(direction({ status: "idle", power: -20 }), "idle");
  assert.deepEqual([-1, 0, 1].map((power) => direction({ power })), ["charging", "idle", "discharging"]);
  assert.equal(direction({ power: null, current: 3 }), "discharging");
  assert.equal(direction({}), null);
});

test("the flows of a converter are bars on one scale", () => {
  const parts = flows({ inputs: [{ number: 1, voltage: 600, current: 10, power: 6000 }, { number: 2, voltage: 500, current: 6, power: null }], soc: 50, power: -4500, output: { power: 4000 } });
  assert.deepEqual(parts.map(({ kind, number, power, part }) => [kind, number, power, part]), [
    ["input", 1, 6000, 1],
    ["input", 2, 3000, 0.5],
    ["battery", null, -4500, 0.75],
    ["output", null, 4000, 4 / 6],
  ]);
  assert.deepEqual(flows({ soc: null, power: null, voltage: null }), []); // a PBD250 has no battery
});

test("a view puts modules in their order and tells alarms that are normal from others", () => {
  const alarms = [{ key: "a", expected: true }, { key: "b", expected: false }];
  const shown = view({ modules: [{ id: "b", number: 2, cells: [] }, { id: "a", number: 1, cells: [3.3] }], alarms });
  assert.deepEqual(shown.modules.map((each) => each.number), [1, 2]);
  assert.deepEqual(shown.serious, [alarms[1]]);
  assert.equal(shown.cells, true);
  assert.deepEqual(view({}).modules, []);
  assert.equal(view({ modules: [{ id: "a", number: 1, cells: [] }] }).cells, false);
});
