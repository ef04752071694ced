"""How old the data are that an owner sees, beside the least possible and blind polling every five minutes."""

import asyncio
from collections.abc import Sequence
from random import Random
from statistics import fmean, quantiles
from typing import Any

from custom_components.dyness_atess.account.coordinator import ReadingsCoordinator

from ..dyness.catalogue import build
from .clock import SimulatedLoop, Slices, simulated
from .cloud import PATTERNS, Battery, Cloud, Uploads, house, set_up

INSTALLATIONS = {
    "1 pack": ("dl5-1", 1),
    "3 modules": ("dl5-3", 1),
    "6 modules": ("dl5-6", 1),
    "13 modules": ("tower-13", 1),
    "3 packs": ("dl5-1", 3),
}
"""The entry of the catalogue, and how many of them an account has."""
PHASES = 8
"""Of the uploads against the set-up."""
HOURS, FLEET_HOURS = 6, 2
WARMING_UP = 600
STEP = 7.3
"""Seconds between two looks at all ages; no part of a period, so that they fall on all ages alike."""
POLLING = 300

type Figures = dict[str, float]
"""Of one account, by name."""


class Ages:
    """What was seen of some devices at each look. Seconds."""

    def __init__(self) -> None:
        self.shown: list[float] = []
        self.least: list[float] = []
        self.blind: list[float] = []
        self.gone = 0

    def look(self, devices: Sequence[ReadingsCoordinator], uploads: Uploads, loop: SimulatedLoop) -> None:
        """Note how old everything is, and how old it would be at best and with blind polling."""
        now = loop.time()
        self.gone += sum(not (device.last_update_success and device.is_current) for device in devices)
        self.shown += [(loop.utcnow() - device.sampled_at).total_seconds() for device in devices if device.sampled_at]
        self.least += [uploads.age(now, now)] * len(devices)
        self.blind += [uploads.age(now, now - now % POLLING)] * len(devices)

    def figures(self, of: str) -> Figures:
        """Return mean and 95th percentile in units of the least possible."""
        percentile = quantiles(self.shown, n=20)[-1] / quantiles(self.least, n=20)[-1]
        return {of: fmean(self.shown) / fmean(self.least), f"{of}, 95 %": percentile}


def measure(installation: str) -> dict[str, list[Figures]]:
    """Let an installation live in all patterns and phases at once, each with an account of its own."""
    name, count = INSTALLATIONS[installation]
    accounts: dict[str, list[Battery]] = {}
    for pattern in PATTERNS:
        for phase in range(PHASES):
            batteries = accounts[f"{pattern} {phase}"] = []
            for number in range(count):
                uploads = Uploads(pattern, (phase + 0.3 * number) * 300 / PHASES, HOURS + 1)
                batteries.append(Battery(build(name, serial=f"{pattern}{phase}N{number}-BMS")[0], uploads))
    with simulated() as loop:
        found = loop.run_until_complete(_live(loop, Cloud(accounts), HOURS, Slices()))
    return {pattern: [found[key] for key in accounts if key.startswith(pattern)] for pattern in PATTERNS}


def measure_fleet() -> tuple[Figures, tuple[float, str]]:
    """Let 100 batteries with three modules each live in one account, and restart it. Also return the longest slice."""
    chance, slices = Random(1), Slices()
    uploads = [Uploads("steady", round(chance.uniform(0, 300)), FLEET_HOURS + 1) for _ in range(100)]
    batteries = [Battery(build("dl5-3", serial=f"DEMOFLEET{number}-BMS")[0], its) for number, its in enumerate(uploads)]
    with simulated() as loop:
        fleet = _live(loop, Cloud({"fleet": batteries}), FLEET_HOURS, slices, hourly_calls=3600)
        return loop.run_until_complete(fleet)["fleet"], slices.longest


async def _live(loop: SimulatedLoop, cloud: Cloud, hours: float, slices: Slices, **options: Any) -> dict[str, Figures]:
    masters, modules = ({app_id: Ages() for app_id in cloud.accounts} for _ in range(2))
    async with house(cloud, **options) as (hass, entries):
        with slices.measured():
            await set_up(hass, entries)
            await asyncio.sleep(WARMING_UP - loop.time())
            before = cloud.calls.copy()
            while loop.time() < hours * 3600:
                for app_id, batteries in cloud.accounts.items():
                    devices = entries[app_id].runtime_data.devices
                    for battery in batteries:
                        master, *others = [devices[serial] for serial in battery.samples]
                        masters[app_id].look([master], battery.uploads, loop)
                        modules[app_id].look(others, battery.uploads, loop)
                await asyncio.sleep(STEP)
        calls = cloud.calls - before
        for entry in entries.values():
            await hass.config_entries.async_unload(entry.entry_id)
        with slices.measured():
            await set_up(hass, entries)
    found = {}
    for app_id, batteries in cloud.accounts.items():
        of_masters, of_modules = masters[app_id], modules[app_id]
        uploads = sum(of.uploads.newest(hours * 3600) - of.uploads.newest(WARMING_UP) for of in batteries)
        found[app_id] = {
            "least": fmean(of_masters.least),
            "blind": fmean(of_masters.blind) / fmean(of_masters.least),
            **of_masters.figures("master"),
            "calls per upload": sum(calls[of.device.serial] for of in batteries) / uploads,
            **of_modules.figures("modules"),
            "gone": of_masters.gone + of_modules.gone,
            "calls an hour": calls[app_id] / (hours * 3600 - WARMING_UP) * 3600,
        }
    return found
