"""Models that nobody has seen yet, and rows of the device list behind which there is no battery."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from .devices import Json
from .high_voltage import HighVoltage
from .low_voltage import LowVoltage
from .points import COMMON_NAMES, Truth, Values
from .storage import Storage

TEMPERATURE = "60090"
STRANGE = {"60100": "0.37", "60110": "17", "60120": "54"}
STRANGE_NAMES = {TEMPERATURE: "温度", "60100": "均衡能量", "60110": "", "60120": "Humidity"}
MEASURED = {"last_report", "voltage", "current", "power", "status", "soc", "soh"}
MEASURED |= {"cell_voltage_max", "cell_voltage_min", "cell_voltage_spread"}


def _renumbered(first: int, *points: str) -> dict[str, str]:
    """Give these points ids that no family has."""
    return {known: str(first + 10 * place) for place, known in enumerate(points)}


def _names(ids: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return COMMON_NAMES | {own: names[known] for known, own in ids.items()} | STRANGE_NAMES


@dataclass(kw_only=True)
class _Named(Storage):
    """A battery that calls its points as a known family does, under other ids."""

    ids: ClassVar[Mapping[str, str]]
    measured: ClassVar[set[str]]

    unreachable: int = 1

    def values(self, now: datetime) -> Values:
        """Give what it measures under its own ids."""
        values, temperature = super().values(now), self.truth(now)["temperature"]  # type: ignore[safe-super]
        common = {point: values[point] for point in ("T", "SUB", "TIME")}
        own = {point: values[known] for known, point in self.ids.items()}
        return common | own | {TEMPERATURE: f"{temperature:.1f}"} | STRANGE

    def truth(self, now: datetime) -> Truth:
        """Give what it measures."""
        truth = super().truth(now)  # type: ignore[safe-super]
        return {key: truth[key] for key in self.measured} | {"temperature": truth["cell_temperature_max"]}


@dataclass(kw_only=True)
class NamedLowVoltage(_Named, LowVoltage):
    """What a low-voltage battery calls its points, under other ids."""

    ids = _renumbered(60010, "600", "700", "800", "1200", "1300", "1500", "1800", "2000")
    names = _names(ids, LowVoltage.names)
    measured = MEASURED | {"cell_temperature_max", "cell_temperature_min"}


@dataclass(kw_only=True)
class NamedHighVoltage(_Named, HighVoltage):
    """What a tower calls its points, under other ids."""

    ids = _renumbered(70010, "1100", "1000", "1400", "1500", "2400", "2700", "1600", "1700", "1800", "1900")
    names = _names(ids, HighVoltage.names)
    measured = MEASURED | {"energy_rated", "energy_remaining", "energy_charged", "cycles"}


@dataclass(kw_only=True)
class NamelessModel(LowVoltage):
    """Neither an id nor a name that anybody knows, not even that of the time: nothing can be read from it."""

    names: ClassVar[Mapping[str, str]] = {"X1": "Ladezustand", "X2": "Klemmenspannung", "X3": "Strom", "X4": ""}

    unreachable: int = 1

    def values(self, now: datetime) -> Values:
        """Give four riddles."""
        known = super().truth(now)
        return {
            "X1": str(known["soc"]),
            "X2": f"{known['voltage']:.1f}",
            "X3": f"{known['current']:.1f}",
            "X4": self.serial,
        }

    def truth(self, now: datetime) -> Truth:
        """Give nothing: whatever is shown of it is a guess."""
        return {}


@dataclass(kw_only=True)
class EmptyRow(Storage):
    """A row of the device list without points: a coordinator or a dongle that is listed as a battery is (#41 #48)."""

    def values(self, now: datetime) -> Values:
        """Give none."""
        return {}

    def truth(self, now: datetime) -> Truth:
        """There is nothing to measure."""
        return {}

    def power_history(self, now: datetime) -> list[Json]:
        """Give records without values."""
        return self.empty_history(now)
