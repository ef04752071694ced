"""A device whose energies are restarted after every sample, which must change nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from custom_components.dyness_atess.telemetry.energy.energies import Energies
from custom_components.dyness_atess.telemetry.vocabulary import Key

START = datetime(2026, 6, 21, 6, tzinfo=UTC)
CHARGED, DISCHARGED, PV = Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED, Key.PV_ENERGY


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def restarted(energies: Energies) -> Energies:
    memory = json.loads(json.dumps(energies.memory, allow_nan=False))
    found = Energies(memory)
    assert found.memory == memory
    return found


class Device:
    """Samples in, totals out."""

    def __init__(self, *, metered: bool = True) -> None:
        self.energies = Energies()
        self.metered = metered
        self.shown: dict[Key, Any] = {}

    def add(self, minutes: float, values: dict[Key, Any]) -> dict[Key, Any]:
        return self._checked(self.energies.add(values, at(minutes), metered=self.metered))

    def fill(self, records: Iterable[tuple[datetime, float]] = ()) -> dict[Key, Any]:
        return self._checked(self.energies.fill(records))

    def _checked(self, shown: dict[Key, Any]) -> dict[Key, Any]:
        self.energies = restarted(self.energies)
        assert all(total >= self.shown.get(key, 0) for key, total in shown.items())
        self.shown |= shown
        return shown
