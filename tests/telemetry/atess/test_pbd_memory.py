"""What a decoder remembers: lifetime totals that never fall, when a sample was taken, and all that it has learned."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.atess.decoder import PbdDecoder
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME, Key

from .pbd_day import Plant, Writing, day

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
TIME = f"{NOW:%Y-%m-%d %H:%M:%S}"


def restarted(decoder: PbdDecoder) -> PbdDecoder:
    return PbdDecoder(json.loads(json.dumps(decoder.memory)))


def totals(values: dict[Key, Any]) -> dict[Key, Any]:
    return {key: value for key, value in values.items() if key in LIFETIME}


NIGHT: list[Any] = [
    None,
    {},
    [],
    "oops",
    {"epvTotal": 0, "ebatChargeTotal": 0, "ebatDischargeTotal": 0, "outTotalDischarge": 0},
    {"status": 0, "temp": 15, "epvTotal": 0, "epvToday": 0, "ebatChargeTotal": None},
    {
        "status": 0,
        "temp": 15,
        "epvTotal": "",
        "ebatChargeTotal": "NaN",
        "ebatDischargeTotal": [],
        "outTotalDischarge": {},
    },
    {"status": 0, "temp": 15, "epvTotal": 3, "ebatChargeTotal": -7, "ebatDischargeTotal": 1e30},
    {"status": 0, "temp": 15, "epvTotal": float("nan"), "outTotalDischarge": float("inf")},
    {"status": 2, "temp": 15},
]


def test_a_night_leaves_every_total_where_it_was() -> None:
    decoder = PbdDecoder()
    plant = Plant()
    for _ in day(plant, hours=20):
        before = totals(decoder.decode(plant.record(Writing()), plant.time).values)
    assert len(before) == 4
    for number, data in enumerate(NIGHT * 5):
        if isinstance(data, dict) and data:
            data["time"] = f"night {number}"
        values = decoder.decode(data, plant.time + timedelta(minutes=5 * number)).values
        assert totals(values) in ({}, before)
        assert Key.PV_ENERGY_TODAY not in values
        if number % 7 == 0:
            decoder = restarted(decoder)
    plant.step()
    after = totals(decoder.decode(plant.record(Writing()), plant.time + timedelta(hours=10)).values)
    assert all(0 <= after[key] - before[key] < 10 for key in before)


def test_disbelieved_totals_are_counted() -> None:
    decoder = PbdDecoder()
    for total in (38788.2, 0, 12, 38788.3, 9e6):
        decoder.decode({"status": 2, "epvTotal": total}, NOW)
    assert decoder.findings["disbelieved"] == {"pv_energy": 3}


@pytest.mark.parametrize(
    ("totals", "shown"),
    [
        ([100.0, 0, 100.1], [100.0, 100.0, 100.1]),
        # The first value cannot be 0: from there to the real total would count as energy.
        ([0, 38788.2], [None, 38788.2]),
        ([0, 0, 0.1, 0.2], [None, None, 0.1, 0.2]),
        # The resolution of single precision.
        ([2_100_000.25, 2_100_000.0, 2_100_000.5], [2_100_000.25, 2_100_000.25, 2_100_000.5]),
        ([100.0, 99.95, 100.0], [100.0, 100.0, 100.0]),
        # A jump is not believed, and locks nothing.
        ([100.0, 65535.0, 101.0], [100.0, 100.0, 101.0]),
        ([-1, 5], [None, 5]),
        # The counter begins anew, and after a wrong first value: it goes on from where it was.
        ([100.0, 0, 0.4, 0.9, 1.5], [100.0, 100.0, 100.0, 100.9, 101.5]),
        ([65535.0, 100.0, 100.2, 100.5, 101.0], [65535.0, 65535.0, 65535.0, 65535.5, 65536.0]),
        # A logger that sends nothing, and a converter whose counters are 0, for a night.
        ([100.0, *[0] * 50, 100.5], [100.0, *[100.0] * 50, 100.5]),
    ],
)
def test_total(totals: list[float], shown: list[float | None]) -> None:
    decoder = PbdDecoder()
    for number, (total, expected) in enumerate(zip(totals, shown, strict=True)):
        at = NOW + number * timedelta(minutes=5)
        assert decoder.decode({"status": 2, "epvTotal": total}, at).values.get(Key.PV_ENERGY) == expected
        decoder = restarted(decoder)


def test_total_may_grow_while_nobody_looks() -> None:
    decoder = PbdDecoder()
    decoder.decode({"epvTotal": 1000}, NOW)
    assert decoder.decode({"epvTotal": 16000}, NOW + timedelta(days=10)).values[Key.PV_ENERGY] == 16000


def test_counters_of_the_day_fall() -> None:
    decoder = PbdDecoder()
    for today in (12.5, 0, 0.1):
        values = decoder.decode({"epvToday": today, "epvTotal": 500.0}, NOW).values
        assert values[Key.PV_ENERGY_TODAY] == today


def test_a_sample_is_new_when_its_time_changed() -> None:
    decoder = PbdDecoder()

    def sampled_at(time: Any, minutes: float) -> datetime:
        reading = decoder.decode({"capacity": 50, "time": time}, NOW + timedelta(minutes=minutes))
        assert reading.values[Key.LAST_REPORT] == reading.sampled_at
        assert reading.sampled_at
        return reading.sampled_at

    # By a clock that nobody set, in a zone that nobody knows.
    assert sampled_at("2026-06-21 20:00:00", 0) == NOW
    assert sampled_at("2026-06-21 20:00:00", 5) == NOW
    decoder = restarted(decoder)
    assert sampled_at("2026-06-21 20:00:00", 500) == NOW
    assert sampled_at("2000-01-01 00:00:00", 505) == NOW + timedelta(minutes=505)
    assert sampled_at(None, 510) == NOW + timedelta(minutes=510)
    assert sampled_at("2000-01-01 00:00:00", 515) == NOW + timedelta(minutes=505)
    # A record of zeros is no sample.
    decoder.decode({"capacity": 0, "time": "2026-06-21 20:10:00"}, NOW + timedelta(minutes=520))
    assert sampled_at("2026-06-21 20:10:00", 525) == NOW + timedelta(minutes=525)


@pytest.mark.parametrize(
    ("time", "age"),
    [
        (TIME, 0),
        ("2026-06-20 21:30:00", 0),  # 14.5 hours less: perhaps west, with a slow clock
        ("2026-06-20 20:30:00", 3.5),  # 15.5 hours less: 3.5 hours old in the west, more elsewhere
        ("2026-06-20T20:30:00", 3.5),
        ("2026-06-19 12:00:00", 36),
        ("2026-06-22 02:00:00", 0),
        ("9999-12-31 23:59:59", 0),
        ("string", 0),
        (1781956800000, 0),
        ("", 0),
    ],
)
def test_first_sample(time: Any, age: float) -> None:
    reading = PbdDecoder().decode({"capacity": 50, "time": time}, NOW)
    assert reading.sampled_at == NOW - timedelta(hours=age)


def test_restart_goes_on() -> None:
    plant = Plant()
    decoder, restarting = PbdDecoder(), PbdDecoder()
    writing = Writing(tenths=True, discharging=-1, total_first=False)
    for _ in day(plant):
        record = plant.record(writing)
        # Counters of the day speak for a sign only with the sample before, which is not kept.
        record |= {"echargeToday": None, "edischargeToday": None}
        assert restarting.decode(record, plant.time) == decoder.decode(record, plant.time)
        restarting = restarted(restarting)
        assert restarting.memory == decoder.memory


def memory(**changes: Any) -> dict[str, Any]:
    decoder = PbdDecoder()
    for plant in day(hours=12):
        decoder.decode(plant.record(Writing()), plant.time)
    learned: dict[str, Any] = json.loads(json.dumps(decoder.memory))
    learned["learning"] |= changes
    return learned


@pytest.mark.parametrize(
    "damaged",
    [
        {"foreign": 1},
        [1],
        "memory",
        7,
        memory() | {"version": 2},
        memory() | {"learning": None},
        memory() | {"taken": ["2026-06-21 12:00:00", None]},
        memory() | {"taken": ["2026-06-21 12:00:00", "2026-06-21T12:00:00"]},
        memory() | {"taken": 5},
        memory(scale=5),
        memory(scale={"decided": "hundredths", "leading": None, "lead": 0, "samples": [0, 0]}),
        memory(scale={"decided": [], "leading": None, "lead": 0, "samples": [0, 0]}),
        memory(scale={"decided": None, "leading": None, "lead": 99, "samples": [0, 0]}),
        memory(scale={"decided": None, "leading": None, "lead": 0, "samples": [0, "0"]}),
        memory(scale={"decided": None, "leading": None, "lead": 0, "samples": [0]}),
        memory(units=[]),
        memory(inputs=5),
        memory(seen=["nothing"]),
    ],
)
def test_damaged_memory_starts_clean(damaged: Any) -> None:
    kept = damaged["lifetime"] if isinstance(damaged, dict) and damaged.get("version") == 1 else {}
    assert PbdDecoder(damaged).memory == PbdDecoder().memory | {"lifetime": kept}
    assert PbdDecoder({}).memory == PbdDecoder().memory


AT = "2026-06-21T12:00:00+00:00"


@pytest.mark.parametrize(
    "damage",
    [
        *({"soc": [50, AT]}, {"pv_energy": [float("nan"), AT]}, {"pv_energy": [50]}, {"pv_energy": "text"}, [], "text"),
        *({"pv_energy": {"total": total, "counter": 5.0, "at": AT}} for total in (None, -1, "5", float("inf"), [])),
    ],
)
def test_damaged_totals_leave_what_was_learned(damage: Any) -> None:
    assert PbdDecoder(memory() | {"lifetime": damage}).memory == memory() | {"lifetime": {}}


@pytest.mark.parametrize("at", ["2026-06-21T12:00:00", "0001-01-01T00:00:00+14:00", "yesterday", None, 5])
@pytest.mark.parametrize("total", [50, {"total": 50, "counter": 50}])
def test_damaged_time_of_a_total(total: Any, at: Any) -> None:
    content = total | {"at": at} if isinstance(total, dict) else [total, at]
    decoder = PbdDecoder(memory() | {"lifetime": {"output_energy": [3, AT], "pv_energy": content}})
    values = decoder.decode({"status": 2, "epvTotal": 50.5}, NOW).values
    assert (values[Key.PV_ENERGY], values[Key.OUTPUT_ENERGY]) == (50.5, 3)


def test_memory_of_version_0_1_0() -> None:
    """It kept the last believed counter and its time, which was the total."""
    content = memory() | {"lifetime": {"pv_energy": [111146.4, NOW.isoformat()]}}
    decoder = PbdDecoder(json.loads(json.dumps(content)))
    for number, (total, expected) in enumerate(((0, 111146.4), (111147.0, 111147.0), (9e6, 111147.0))):
        at = NOW + (number + 1) * timedelta(minutes=5)
        assert decoder.decode({"status": 2, "epvTotal": total}, at).values[Key.PV_ENERGY] == expected
        decoder = restarted(decoder)
