"""Lifetime energies, metered and counted, through the whole path (product contract, section 7)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from emulator.dyness.low_voltage import LowVoltage
from emulator.dyness.models import DL5
from emulator.dyness.storage import Storage
from emulator.faults import Fault

from .conftest import Live, number, one, state

ENERGIES = ("energy_charged", "energy_discharged")


def stored(device: Storage) -> float:
    """Return the energy in the battery now, kWh."""
    truth: Any = device.truth(datetime.now(UTC))
    return float(truth["soc"]) / 100 * float(truth["energy_rated"])


async def test_a_day(hass: HomeAssistant, live: Live) -> None:
    device, falls, last = one("dl5-1"), list[float](), dict[str, float]()
    await live.start(device)
    assert [number(hass, key, device.serial) for key in ENERGIES] == [0, 0]

    def look() -> None:
        totals = {key: number(hass, key, device.serial) for key in ENERGIES}
        falls.extend(total for key, total in totals.items() if total < last.get(key, 0))
        last.update(totals)

    before = stored(device)
    await live(24 * 60, look)
    assert not falls
    assert last["energy_discharged"] > 1
    assert last["energy_charged"] - last["energy_discharged"] == pytest.approx(stored(device) - before, abs=0.35)


@pytest.mark.parametrize("restart", [False, True])
async def test_an_outage_of_hours(hass: HomeAssistant, live: Live, *, restart: bool) -> None:
    live.freezer.tick(6 * 3600)
    device = one("dl5-1")
    cloud, entry = await live.start(device)
    await live(15)
    before, total = stored(device), number(hass, "energy_discharged", device.serial)
    cloud.add_fault(Fault("network_anomaly"))
    await live(180)
    if restart:
        await live.restart(entry)
        assert number(hass, "energy_discharged", device.serial) >= total
    cloud.clear_faults()
    await live(11)
    used = before - stored(device)
    assert used > 0.3
    assert number(hass, "energy_discharged", device.serial) - total == pytest.approx(used, abs=0.2)
    assert number(hass, "energy_charged", device.serial) == pytest.approx(0, abs=0.2)


class WrongClock(LowVoltage):
    """A battery whose time stamps are off by some minutes."""

    minutes: float

    def sample_time(self, now: datetime) -> datetime:
        return super().sample_time(now) + timedelta(minutes=self.minutes)


@pytest.mark.parametrize("minutes", [11, -11, 0])
async def test_a_clock_that_is_minutes_off(hass: HomeAssistant, live: Live, minutes: float) -> None:
    """Sample times count against each other, not against ours."""
    device = WrongClock(serial="DEMOCLOCK-BMS", model=DL5)
    device.minutes = minutes
    await live.start(device)
    before = stored(device)
    await live(120)
    assert number(hass, "energy_charged", device.serial) == pytest.approx(stored(device) - before, abs=0.1)
    assert number(hass, "energy_charged", device.serial) > 0.3
    assert state(hass, "online", device.serial) == "on"


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_counter(hass: HomeAssistant, live: Live, *, restarts: bool) -> None:
    """Of the device itself: shown once it is confirmed, followed without its glitches, and gone on with from anew."""
    device = one("tower-t14", overrides={"1900": "5000.0"})
    _, entry = await live.start(device)
    story = {"5000.0": 16, "6553.5": 6, "5000.5": 16, "": 6, "0.0": 16, "0.4": 16, "0.9": 16}
    shown = []
    for counter, minutes in story.items():
        device.overrides = {"1900": counter}
        await live(minutes)
        if restarts:
            await live.restart(entry)
        shown.append(number(hass, "energy_charged", device.serial))
    assert shown == sorted(shown)
    assert [*shown[:5], shown[-1]] == pytest.approx([5000, 5000, 5000.5, 5000.5, 5000.5, 5001.4], abs=0.001)
