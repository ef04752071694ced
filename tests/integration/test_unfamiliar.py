"""Models that nobody has seen, and samples that cannot be, through the whole path."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.dyness_atess.const import DOMAIN
from emulator.dyness.catalogue import build
from emulator.dyness.replay import Replay
from emulator.faults import Fault

from .conftest import Live, number, state


def issues(hass: HomeAssistant) -> set[str | None]:
    return {issue.translation_key for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN}


def changing(change: Callable[[list[dict[str, Any]]], None]) -> Any:
    """Make a battery of four modules whose master's answers are changed on their way."""
    (battery,) = build("dl5-4")

    class Changed(type(battery)):  # type: ignore[misc]
        def points(self, now: datetime) -> list[dict[str, Any]]:
            points = json.loads(json.dumps(super().points(now)))
            change(points)
            return points

    object.__setattr__(battery, "__class__", Changed)
    return battery


async def test_direction_of_a_model_that_is_read_by_name(hass: HomeAssistant, live: Live) -> None:
    """It is withheld until the state of charge has shown it, and then never wrong."""
    (battery,) = build("future-low-voltage")
    _, entry = await live.start(battery)
    assert issues(hass) == {"read_by_name"}
    assert state(hass, "soc", battery.serial)
    assert state(hass, "power", battery.serial) is None
    seen: list[tuple[float, float]] = []

    def look() -> None:
        shown = state(hass, "power", battery.serial)
        sampled_at = entry.runtime_data.devices[battery.serial].sampled_at
        if shown not in (None, "unknown", "unavailable"):
            seen.append((float(shown), float(battery.truth(sampled_at)["power"])))

    await live(12 * 60, look)
    assert seen
    # Some are shown at the moment of the next upload, whose truth is a little different.
    assert all(shown * true > 0 for shown, true in seen if min(abs(shown), abs(true)) > 100)
    assert any(shown > 100 for shown, _ in seen)
    assert any(shown < -100 for shown, _ in seen)


async def test_read_in_part_by_position(hass: HomeAssistant, live: Live) -> None:
    def rename(points: list[dict[str, Any]]) -> None:
        for point in points:
            if point["pointId"] == "700":
                point["pointNameCn"] = "Zxqv"

    battery = changing(rename)
    await live.start(battery)
    assert issues(hass) == {"read_by_position"}
    voltage, current, power = (number(hass, key, battery.serial) for key in ("voltage", "current", "power"))
    assert voltage * current == pytest.approx(power, abs=0.1)
    assert current


async def test_zeros_after_a_restart_of_the_battery(hass: HomeAssistant, live: Live) -> None:
    """They are shown nowhere and count nowhere; the last values stay while they are young."""
    is_zero = False

    def zero(points: list[dict[str, Any]]) -> None:
        for point in points:
            if is_zero and point["pointId"] not in ("T", "SUB", "TIME", "300", "400"):
                point["pointValue"] = "0"

    battery = changing(zero)
    await live.start(battery)
    await live(30)
    before = {key: state(hass, key, battery.serial) for key in ("soc", "power", "energy_charged", "energy_discharged")}
    is_zero = True
    seen = []
    await live(15, lambda: seen.append(state(hass, "soc", battery.serial)))
    assert set(seen) == {before["soc"]}
    is_zero = False
    await live(10)
    flown = abs(float(before["power"] or 0)) / 1000 * 30 / 60
    for key in ("energy_charged", "energy_discharged"):
        assert 0 <= float(state(hass, key, battery.serial) or -1) - float(before[key] or 0) <= 1.1 * flown


@pytest.mark.parametrize("hours", [-3, 5.5, 11 / 60])
async def test_a_clock_that_is_off(hass: HomeAssistant, live: Live, hours: float) -> None:
    """Hours are taken for a zone after some samples, and are so after a restart too; energies count all the same."""

    def shift(points: list[dict[str, Any]]) -> None:
        for point in points:
            if point["pointId"] == "T":
                time = datetime.fromisoformat(point["pointValue"]) + timedelta(hours=hours)
                point["pointValue"] = f"{time:%Y-%m-%d %H:%M:%S}"

    battery = changing(shift)
    _, entry = await live.start(battery)
    await live(20)
    assert state(hass, "online", battery.serial) == "on"
    assert state(hass, "soc", battery.serial) not in (None, "unavailable")
    await live.restart(entry, stopped_for=2)
    await live(1)
    assert state(hass, "online", battery.serial) == "on"
    await live(60)
    assert number(hass, "energy_discharged", battery.serial) + number(hass, "energy_charged", battery.serial) > 0


async def test_signal_of_the_dongle(hass: HomeAssistant, live: Live) -> None:
    """It is asked for once, and then once an hour if somebody has turned its sensor on."""
    (battery,) = build("dl5-1")
    row = battery.listing(datetime.now(UTC))
    points = [{"flag": False, "pointId": "800000", "pointValue": "-61", "pointNameCn": ""}]
    dongle = Replay(serial=row["collectorSn"], recording={"points": points, "listing": None}, listed=False)
    cloud, entry = await live.start(battery, dongle)
    await live(20)
    assert entry.runtime_data.devices[battery.serial].data.values["signal_strength"] == -61
    assert [call.serial for call in cloud.calls].count(dongle.serial) == 1


async def test_a_replaced_module(hass: HomeAssistant, live: Live) -> None:
    """The old one does not answer, a new one is listed, the count is as before, and the capacity, restart or not."""
    is_replaced = False

    def rename(points: list[dict[str, Any]]) -> None:
        for point in points:
            if is_replaced and point["pointId"] == "SUB":
                point["pointValue"] = point["pointValue"].replace(old, "DEMOREPLACED0001")

    battery = changing(rename)
    old = battery.modules[-1].serial
    cloud, entry = await live.start(battery)
    await live(10)
    before = state(hass, "energy_rated", battery.serial)
    assert before == "20.48"
    cloud.devices["DEMOREPLACED0001"] = replace(battery.modules[-1], serial="DEMOREPLACED0001")
    cloud.add_fault(Fault("network_anomaly", serial=old))
    is_replaced = True
    await live(60)
    await live.restart(entry, stopped_for=1)
    await live(10)
    assert len(entry.runtime_data.batteries[battery.serial].modules) == 5
    assert state(hass, "energy_rated", battery.serial) == before
    remaining, soc, soh = (number(hass, key, battery.serial) for key in ("energy_remaining", "soc", "soh"))
    assert remaining == pytest.approx(20.48 * soc / 100 * soh / 100, abs=0.01)
    assert entry.runtime_data.is_removable(old)
