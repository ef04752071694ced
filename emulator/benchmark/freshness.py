"""How old the data are that an owner sees, beside the least possible and blind polling every five minutes."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from statistics import fmean, quantiles
from typing import Any

from custom_components.dyness_atess.account.coordinator import ReadingsCoordinator

from ..dyness.catalogue import build
from .clock import SimulatedLoop, Slices, simulated
from .house import add_accounts, house
from .uploads import PATTERNS, Battery, Cloud, Uploads

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
HOURS = 6
FLEET, FLEET_HOURS, FLEET_CEILING = 100, 2, 3600
WARMING_UP = 600
STEP = 7.3
"""Seconds between two looks at all ages; no part of a period, so that they fall on all ages alike."""
POLLING = 300


@dataclass
class Ages:
    """What was seen of some devices at each look. Seconds."""

    shown: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    """With every sample shown as soon as it can be read."""
    polled: list[float] = field(default_factory=list)
    """With blind polling since the set-up."""
    gone: int = 0
    """How often one was not available."""

    def look(self, devices: Iterable[ReadingsCoordinator], uploads: Uploads, loop: SimulatedLoop) -> None:
        """Note how old everything is."""
        now = loop.time()
        for device in devices:
            self.gone += not (device.last_update_success and device.is_current)
            if device.data and device.data.sampled_at:
                self.shown.append((loop.utcnow() - device.data.sampled_at).total_seconds())
            self.least.append(now - uploads.taken[uploads.newest(now)])
            self.polled.append(now - uploads.taken[uploads.newest(now - now % POLLING)])

    def ratios(self) -> tuple[float, float]:
        """Return mean and 95th percentile in units of the least possible."""
        percentile = quantiles(self.shown, n=20)[-1] / quantiles(self.least, n=20)[-1]
        return fmean(self.shown) / fmean(self.least), percentile


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """What became of one account. Ages in units of the least possible where nothing else is said."""

    least: float
    """Seconds; the mean."""
    polled: float
    """With blind polling."""
    mean: float
    percentile: float
    """The 95th."""
    calls_per_upload: float
    """Of a master."""
    modules_mean: float
    modules_percentile: float
    gone: int
    calls_per_hour: float


def measure(installation: str) -> dict[str, list[Freshness]]:
    """Let an installation live in all patterns and phases at once, each with an account of its own."""
    name, count = INSTALLATIONS[installation]
    accounts = {}
    for pattern in PATTERNS:
        for phase in range(PHASES):
            uploads = [Uploads(pattern, (phase + 0.3 * other) * 300 / PHASES, HOURS + 1) for other in range(count)]
            accounts[f"{pattern} {phase}"] = [
                Battery(build(name, serial=f"{pattern}{phase}N{other}-BMS")[0], its)
                for other, its in enumerate(uploads)
            ]
    with simulated() as loop:
        found = loop.run_until_complete(_live(loop, Cloud(accounts), HOURS))
    return {pattern: [found[key] for key in accounts if key.startswith(pattern)] for pattern in PATTERNS}


def measure_fleet() -> tuple[Freshness, Slices]:
    """Let many batteries with three modules each live in one account, and restart it at last."""
    chance, slices = Random(1), Slices()
    uploads = [Uploads("steady", round(chance.uniform(0, 300)), FLEET_HOURS + 1) for _ in range(FLEET)]
    batteries = [Battery(build("dl5-3", serial=f"R{number}N-BMS")[0], its) for number, its in enumerate(uploads)]
    with simulated() as loop:
        fleet = _live(loop, Cloud({"fleet": batteries}), FLEET_HOURS, slices, hourly_calls=FLEET_CEILING)
        return loop.run_until_complete(fleet)["fleet"], slices


async def _live(
    loop: SimulatedLoop, cloud: Cloud, hours: float, slices: Slices | None = None, **options: Any
) -> dict[str, Freshness]:
    masters: dict[str, Ages] = {app_id: Ages() for app_id in cloud.accounts}
    modules: dict[str, Ages] = {app_id: Ages() for app_id in cloud.accounts}
    async with house(cloud) as hass:
        with (slices or Slices()).measured():
            running = await add_accounts(hass, cloud, **options)
            await asyncio.sleep(WARMING_UP - loop.time())
            before = cloud.calls.copy()
            while loop.time() < hours * 3600:
                for app_id, batteries in cloud.accounts.items():
                    for battery in batteries:
                        master, *others = [running[app_id].devices[serial] for serial in battery.points]
                        masters[app_id].look([master], battery.uploads, loop)
                        modules[app_id].look(others, battery.uploads, loop)
                await asyncio.sleep(STEP)
            calls = cloud.calls - before
        if slices:
            entry = running["fleet"].entry
            await hass.config_entries.async_unload(entry.entry_id)
            with slices.measured():
                await hass.config_entries.async_setup(entry.entry_id)
    found = {}
    for app_id, batteries in cloud.accounts.items():
        seen, of_modules = masters[app_id], modules[app_id]
        uploads = sum(of.uploads.newest(hours * 3600) - of.uploads.newest(WARMING_UP) for of in batteries)
        mean, percentile = seen.ratios()
        modules_mean, modules_percentile = of_modules.ratios()
        found[app_id] = Freshness(
            least=fmean(seen.least),
            polled=fmean(seen.polled) / fmean(seen.least),
            mean=mean,
            percentile=percentile,
            calls_per_upload=sum(calls[of.device.serial] for of in batteries) / uploads,
            modules_mean=modules_mean,
            modules_percentile=modules_percentile,
            gone=seen.gone + of_modules.gone,
            calls_per_hour=calls[app_id] / (hours * 3600 - WARMING_UP) * 3600,
        )
    return found
