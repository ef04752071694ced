"""Every device of the catalogue: its points are of the vendor's form and tell its truth, which adds up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
import re

import pytest

from emulator.dyness.catalogue import CATALOGUE, build
from emulator.dyness.devices import PAYLOADS, stamp
from emulator.dyness.future import EmptyRow, NamelessModel
from emulator.dyness.history import PowerHistory

DAWN = datetime(2026, 3, 23, 5, tzinfo=UTC)
DAY = [DAWN + timedelta(minutes=5 * number) for number in range(289)]
DERIVED = ("power", "cell_voltage_spread", "temperature", "energy_rated", "energy_remaining", "soc", "_cell", "_sensor")
"""Endings of what a point need not have, because it follows from others or stands in station/info."""


def values(device, now):
    points = device.points(now)
    found = {point["pointId"]: point["pointValue"] for point in points}
    assert len(found) == len(points), "an id stands twice"
    return found


@pytest.fixture(params=CATALOGUE)
def devices(request):
    """The masters of one name."""
    return build(request.param)


def test_points_have_the_vendor_s_form(devices) -> None:
    for device in devices:
        for answering in (device, *device.modules):
            for now in DAY[::72]:
                for point in answering.points(now):
                    assert list(point) == ["flag", "pointId", "pointValue", "pointNameCn"]
                    assert isinstance(point["pointValue"], str | None)
                    assert not (point["pointValue"] or "").startswith("-0.0")
        assert device.listing(DAWN)["deviceSn"] == device.serial
        assert float(device.station()["batteryCapacity"]) > 0


def test_points_tell_the_truth(devices) -> None:
    """Every measured number stands in a point or in the running data, with either sign and nothing rounded away."""
    for device in devices:
        for answering in (device, *device.modules):
            for now in DAY[::72]:
                told = [*values(answering, now).values(), *(answering.running(now) or {}).values()]
                numbers = {abs(float(text)) for text in told if text and re.fullmatch(r"-?\d+(\.\d+)?", text)}
                for key, value in answering.truth(now).items():
                    if type(value) in (int, float) and not key.endswith(DERIVED):
                        assert abs(value) in numbers, key


def test_charge_and_energy_add_up(devices) -> None:
    """Over a day the state of charge is the integral of the current, and the counters are that of the power."""
    for device in devices:
        if isinstance(device, EmptyRow | NamelessModel):
            continue
        samples = [device.truth(now) for now in DAY]
        level, parallel = float(samples[0]["soc"]), getattr(device, "parallel", 1)
        flown = {"energy_charged": 0.0, "energy_discharged": 0.0}
        for before, after in pairwise(samples):
            level -= (before["current"] + after["current"]) / 2 / 12 / device.system_capacity * 100
            assert level == pytest.approx(after["soc"], abs=4)
            assert 2.8 * device.cells_in_series < after["voltage"] < 3.6 * device.cells_in_series
            power = (before["power"] + after["power"]) / 2 / 12000 / parallel
            flown["energy_discharged" if power > 0 else "energy_charged"] += abs(power)
        assert {sample["status"] for sample in samples} >= {"charging", "discharging"}
        for key, energy in flown.items():
            if key in samples[0]:
                assert samples[-1][key] - samples[0][key] == pytest.approx(energy, rel=0.05, abs=0.25)


def test_modules_make_the_master(devices) -> None:
    for device in devices:
        truths = [module.truth(DAY[50]) for module in device.modules]
        if len(truths) < len(device.capacities) or not truths:
            continue
        master = device.truth(DAY[50])
        for key, pick in (("cell_voltage_max", max), ("cell_temperature_min", min)):
            assert master[key] == pick(truth[key] for truth in truths)
        if "current" in truths[0]:
            assert master["current"] == pytest.approx(sum(truth["current"] for truth in truths), abs=0.051)


def test_a_powerhaus_has_the_points_of_the_dump() -> None:
    recorded = json.loads((PAYLOADS / "powerhaus.json").read_text())["points"]
    (device,) = build("powerhaus")
    assert [(point["pointId"], point["pointNameCn"]) for point in device.points(DAWN)] == [
        (point["pointId"], point["pointNameCn"]) for point in recorded
    ]


def test_uploads() -> None:
    """Every 300 s, known to the cloud 20 to 40 s later; a silent device keeps its last sample."""
    (device,) = build("dl5-1")
    seen = {}
    for second in range(3900):
        now = DAWN + timedelta(seconds=second)
        seen.setdefault(device.sample_time(now), now)
    taken = list(seen)[1:]
    assert {later - earlier for earlier, later in pairwise(taken)} == {timedelta(minutes=5)}
    assert all(20 <= (seen[sample] - sample).total_seconds() <= 40 for sample in taken)
    assert values(device, DAWN)["T"] == stamp(device.sample_time(DAWN))
    last = device.points(DAWN)
    device.silent_since = DAWN
    assert device.points(DAWN + timedelta(hours=3)) == last


def test_what_is_asked_for_is_shown() -> None:
    (device,) = build("dl5-2", overrides={"800": "146"}, absent=frozenset({"700"}), raised=frozenset({"3203", "3403"}))
    shown, truth = values(device, DAWN), device.truth(DAWN)
    assert (shown["800"], "700" in shown, shown["3200"], shown["4100"]) == ("146", False, "4", "1")
    assert (truth["soc"] <= 100, truth["cell_temperature_low"], truth["alarm"]) == (True, True, True)
    switching = build("powerbrick-a-1", switches=[DAY[100]])[0]
    assert ["600" in values(switching, now) for now in (DAY[90], DAY[110])] == [True, False]


def test_history() -> None:
    """Ascending from the local midnight, in UTC, with the newest record empty; true or not."""

    def records(**options):
        return build("dl5-1", history=PowerHistory(**options))[0].power_history(DAY[120])

    true = records()
    assert (true[0]["createTime"], true[-1]["soc"]) == ("2026-03-22 23:00:00", None)
    assert int(true[-2]["soc"]) == pytest.approx(build("dl5-1")[0].truth(DAY[120])["soc"], abs=4)
    for record, after in pairwise(true[:-1]):  # positive while charging
        assert record["realTimePower"] >= 0 or int(after["soc"]) <= int(record["soc"])
    assert [one["soc"] for one in records(shift=timedelta(hours=2))][24:-1] == [one["soc"] for one in true][:-25]
    assert {one["soc"] for one in records(soc_only_null=True)} == {None}
    assert [one["soc"] for one in records(null_tail=3)][-3:] == [None] * 3
    assert records(yesterday=True)[0]["createTime"] == "2026-03-21 23:00:00"
