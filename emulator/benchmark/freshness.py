"""How old the data are that an owner sees, beside the least possible and blind polling every five minutes."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean, quantiles
from typing import Any

from custom_components.dyness_atess.account.coordinator import ReadingsCoordinator

from ..dyness.catalogue import build
from .clock import simulated
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
"""Of the uploads against the set-up, of which the worst counts."""
HOURS = 6
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

    def look(self, devices: Iterable[ReadingsCoordinator], uploads: Uploads, now: float, set_up: float) -> None:
        """Note how old everything is."""
        for device in devices:
            is_there = device.data and device.data.sampled_at and device.last_update_success and device.is_current
            self.gone += not is_there
            if device.data and device.data.sampled_at:
                self.shown.append((device.hass.loop.utcnow() - device.data.sampled_at).total_seconds())  # type: ignore[attr-defined]
            self.least.append(now - uploads.taken[uploads.newest(now)])
            last_poll = now - (now - set_up) % POLLING
            self.polled.append(now - uploads.taken[uploads.newest(last_poll)])

    @property
    def ratios(self) -> tuple[float, float]:
        """Mean and 95th percentile in units of the least possible."""
        return fmean(self.shown) / fmean(self.least), percentile(self.shown) / percentile(self.least)


def percentile(ages: list[float]) -> float:
    """Return what 95 % are below of."""
    return quantiles(ages, n=20)[-1]


@dataclass
class Account:
    """One account for the whole time."""

    masters: Ages = field(default_factory=Ages)
    modules: Ages = field(default_factory=Ages)
    calls_per_upload: float = 0.0
    """Of a master."""
    module_calls_per_upload: float = 0.0
    calls_per_hour: float = 0.0


type Found = dict[str, list[Account]]
"""One account for each phase, by the pattern of the uploads."""


def measure(installation: str) -> Found:
    """Let an installation live in all patterns and phases at once, each with an account of its own."""
    name, count = INSTALLATIONS[installation]
    keys = [(pattern, phase) for pattern in PATTERNS for phase in range(PHASES)]
    accounts = {}
    for number, (pattern, phase) in enumerate(keys):
        uploads = [Uploads(pattern, (phase + 0.3 * other) * 300 / PHASES, HOURS + 1) for other in range(count)]
        accounts[f"account {number}"] = [
            Battery(build(name, serial=f"R{number}N{other}-BMS")[0], its) for other, its in enumerate(uploads)
        ]
    with simulated() as loop:
        found = loop.run_until_complete(_live(Cloud(accounts), HOURS))
    by_pattern: Found = {pattern: [] for pattern in PATTERNS}
    for (pattern, _), account in zip(keys, found.values(), strict=True):
        by_pattern[pattern].append(account)
    return by_pattern


async def _live(cloud: Cloud, hours: float, **options: Any) -> dict[str, Account]:
    loop = asyncio.get_running_loop()
    found = {app_id: Account() for app_id in cloud.accounts}
    async with house(cloud) as hass:
        set_up = loop.time()
        running = await add_accounts(hass, cloud, **options)
        await asyncio.sleep(WARMING_UP - loop.time())
        before = cloud.calls.copy()
        while (now := loop.time()) < hours * 3600:
            for app_id, batteries in cloud.accounts.items():
                for battery in batteries:
                    master, *modules = [running[app_id].devices[serial] for serial in battery.points]
                    found[app_id].masters.look([master], battery.uploads, now, set_up)
                    found[app_id].modules.look(modules, battery.uploads, now, set_up)
            await asyncio.sleep(STEP)
        calls = cloud.calls - before
    for app_id, batteries in cloud.accounts.items():
        uploads = sum(battery.uploads.newest(now) - battery.uploads.newest(WARMING_UP) for battery in batteries)
        of_masters = sum(calls[battery.device.serial] for battery in batteries)
        of_all = sum(calls[serial] for battery in batteries for serial in battery.points)
        modules = sum(len(battery.device.modules) for battery in batteries) / len(batteries)
        found[app_id].calls_per_upload = of_masters / uploads
        found[app_id].module_calls_per_upload = (of_all - of_masters) / modules / uploads
        found[app_id].calls_per_hour = calls[app_id] / (now - WARMING_UP) * 3600
    return found
