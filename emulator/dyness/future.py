"""Models that nobody has seen yet, and rows of the device list behind which there is no battery."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from .high_voltage import ENERGY_BEFORE, NAMES as HIGH_VOLTAGE_NAMES
from .history import PowerHistory
from .low_voltage import recorded_names
from .points import COMMON_NAMES, Truth, Values, electrical
from .sample import extremes
from .storage import Storage

# Known names (by the point that has it today) under ids that no family has.
LOW_VOLTAGE_DIALECT = {
    "600": "60010",
    "700": "60020",
    "800": "60030",
    "1200": "60040",
    "1300": "60050",
    "1500": "60060",
    "1800": "60070",
    "2000": "60080",
}
HIGH_VOLTAGE_DIALECT = {
    "1100": "70010",
    "1000": "70020",
    "1400": "70030",
    "1500": "70040",
    "2400": "70050",
    "2700": "70060",
    "1600": "70070",
    "1700": "70080",
    "1800": "70090",
    "1900": "70100",
}
TEMPERATURE = ("60090", "温度")
STRANGE = {"60100": "均衡能量", "60110": "", "60120": "Humidity"}
"""Names that nobody knows either"""
STRANGE_VALUES = {"60100": "0.37", "60110": "17", "60120": "54"}


@dataclass(kw_only=True)
class _Unseen(Storage):
    """It measures what every battery does, and has no modules."""

    def measured(self, now: datetime) -> Truth:
        """Give what it measures."""
        modules, state = self.measure_modules(now), self.state(now)
        places = ("_module", "_cell", "_sensor")
        current = round(state.rate * self.capacities[0], 1) + 0.0
        return (
            self.reported(now)
            | electrical(round(modules[0].voltage, 1), current)
            | {key: value for key, value in extremes(modules).items() if not key.endswith(places)}
            | {"soc": int(state.soc), "soh": 100}
        )


@dataclass(kw_only=True)
class NamedModel(_Unseen):
    """Known names under unknown ids: those of a low-voltage battery, or of a high-voltage one."""

    names: ClassVar[Mapping[str, str]] = (
        COMMON_NAMES
        | {point: recorded_names()[known] for known, point in LOW_VOLTAGE_DIALECT.items()}
        | {point: HIGH_VOLTAGE_NAMES[known] for known, point in HIGH_VOLTAGE_DIALECT.items()}
        | dict([TEMPERATURE])
        | STRANGE
    )

    high_voltage: bool = False

    def values(self, now: datetime) -> Values:
        """Give what it measures under its own ids."""
        truth = self.truth(now)
        voltage, current = f"{truth['voltage']:.1f}", f"{0.0 - float(truth['current']):.1f}"
        high, low = f"{truth['cell_voltage_max']:.3f}", f"{truth['cell_voltage_min']:.3f}"
        if self.high_voltage:
            dialect = HIGH_VOLTAGE_DIALECT
            texts = [voltage, current, str(truth["soc"]), str(truth["soh"]), high, low]
            texts += [f"{truth[key]:.2f}" for key in ("energy_remaining", "energy_rated")]
            texts += [str(truth["cycles"]), f"{truth['energy_charged']:.2f}"]
        else:
            dialect = LOW_VOLTAGE_DIALECT
            texts = [voltage, current, str(truth["soc"]), str(truth["soh"]), high, low]
            texts += [f"{truth[key]:.1f}" for key in ("cell_temperature_max", "cell_temperature_min")]
        return {
            **self.common_values(now),
            **dict(zip(dialect.values(), texts, strict=True)),
            TEMPERATURE[0]: f"{truth['temperature']:.1f}",
            **STRANGE_VALUES,
        }

    def truth(self, now: datetime) -> Truth:
        """Give what it measures; the high-voltage one knows energies instead of where it is warm."""
        truth = self.measured(now)
        truth["temperature"] = truth["cell_temperature_max"]
        if self.high_voltage:
            del truth["cell_temperature_max"], truth["cell_temperature_min"]
            charged = ENERGY_BEFORE + self.throughput(now)[0].charged * self.kilowatt_hours
            truth |= {
                "energy_rated": round(self.energy_rated, 2),
                "energy_remaining": round(self.energy_rated * self.state(now).soc / 100, 2),
                "energy_charged": round(charged, 2),
                "cycles": self.cycles(now),
            }
        return truth


@dataclass(kw_only=True)
class NamelessModel(_Unseen):
    """Neither an id nor a name that anybody knows, not even that of the time: nothing can be told from it."""

    names: ClassVar[Mapping[str, str]] = {"X1": "Ladezustand", "X2": "Klemmenspannung", "X3": "Strom", "X4": ""}

    def values(self, now: datetime) -> Values:
        """Give four riddles."""
        truth = self.measured(now)
        return {
            "X1": str(truth["soc"]),
            "X2": f"{truth['voltage']:.1f}",
            "X3": f"{truth['current']:.1f}",
            "X4": self.serial,
        }

    def truth(self, _now: datetime) -> Truth:
        """Give nothing: whatever is shown of it is a guess."""
        return {}


@dataclass(kw_only=True)
class EmptyRow(Storage):
    """A row of the device list without points: a coordinator or a dongle beside its batteries (#41 #48)."""

    history: PowerHistory | None = None

    def values(self, _now: datetime) -> Values:
        """Give none."""
        return {}

    def truth(self, _now: datetime) -> Truth:
        """There is nothing to measure."""
        return {}
