"""What the vendor of the PBD does not document, told from the numbers themselves (atess-api 5.1, 5.7, 5.8).

Whether volts and amperes come in tenths, in which unit the powers come, which sign of the current is charging, and
which of two fields is the power of all inputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ..vocabulary import Key, Status

SAMPLES = 3
"""Samples that decide: a quarter of an hour. One can be taken while the power changes, not three in the same way."""
MOST_SAMPLES = 4 * SAMPLES
"""After an hour of agreement it takes more than an hour of the contrary to change a decision, and never more."""
AGREEMENT = 2.5
"""P and V x I agree within this factor: whole kW are half or double near 1 kW, and the units are a factor 10 apart."""
LEAST_WATTS = 2000.0
"""V x I below which P tells nothing: whole kW are too coarse, and offsets of V and I weigh too much."""
LEAST_CURRENT = 2.0
"""A; below it the direction of the battery current may be an offset."""
LEAST_VOLTAGE = 100.0
"""Below it, in whatever scale, nothing is connected."""
HIGHEST_VOLTAGE = 1600.0
"""V; no PBD bears more, so that a larger number is tenths."""
INPUT_VOLTAGE = 50.0
INPUT_CURRENT = 1.0
"""V or A that an input must once have had to exist; less can be the offset of an unused one."""
CLEARLY = 1.2
"""Of two powers the larger is clearly so from this proportion on."""
LEAST_RISE = 0.05
"""kWh; the counters of a day have a resolution of 0.1."""
NEIGHBOURS = timedelta(minutes=30)
"""Samples further apart are not compared: much can have happened in between."""


class PowerUnit(StrEnum):
    """The unit of the cloud's powers."""

    KILOWATT = "kilowatt"
    TENTH_OF_KILOWATT = "tenth_of_kilowatt"
    WATT = "watt"

    @property
    def watts(self) -> float:
        """W."""
        return {PowerUnit.KILOWATT: 1000.0, PowerUnit.TENTH_OF_KILOWATT: 100.0, PowerUnit.WATT: 1.0}[self]


class Scale(StrEnum):
    """Of V, A and °C."""

    WHOLE = "whole"
    TENTHS = "tenths"

    @property
    def factor(self) -> float:
        """What a number is multiplied with."""
        return 0.1 if self is Scale.TENTHS else 1.0


class Circuit(StrEnum):
    """A place whose power is measured; a cloud may use another unit for each."""

    PV = "pv"
    PV_TOTAL = "pv_total"
    BATTERY = "battery"
    OUTPUT = "output"


INPUTS = {
    number: (Key(f"pv{number}_voltage"), Key(f"pv{number}_current"), Key(f"pv{number}_power")) for number in range(1, 6)
}
"""Voltage, current and power of each PV input."""
_CIRCUITS = {
    Key.PV_POWER: Circuit.PV_TOTAL,
    Key.POWER: Circuit.BATTERY,
    Key.OUTPUT_POWER: Circuit.OUTPUT,
    **{power: Circuit.PV for _, _, power in INPUTS.values()},
}
_VOLTAGE_AND_CURRENT = {
    Key.POWER: (Key.VOLTAGE, Key.CURRENT),
    Key.OUTPUT_POWER: (Key.OUTPUT_VOLTAGE, Key.OUTPUT_CURRENT),
    **{power: (voltage, current) for voltage, current, power in INPUTS.values()},
}


def agree(watts: float, measured: float, rounding: float = 0.0) -> bool:
    """Return whether an amount of power, known up to `rounding`, can be that of a V x I."""
    most = max(measured, LEAST_WATTS) * AGREEMENT + rounding
    least = measured / AGREEMENT - rounding if measured >= LEAST_WATTS else 0.0
    return least <= watts <= most


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """The numbers of one record as sent, with what else is known of it."""

    taken_at: datetime
    numbers: Mapping[Key, float]
    battery: Status | None = None
    """What the battery's management system says that the battery does."""
    pv_total_field: str | None = None
    """The field with the larger of the two powers of which one is that of all inputs."""

    def measured(self, power: Key, factor: float) -> float | None:
        """Return the amount of V x I where `power` is the product, in W."""
        if power is Key.PV_POWER:
            connected = [keys for keys in INPUTS.values() if any(self.numbers.get(key) for key in keys)]
            products = [self.measured(of_input, factor) for _, _, of_input in connected]
            return sum(filter(None, products)) if products and None not in products else None
        if power not in _VOLTAGE_AND_CURRENT:
            return None
        voltage, current = (self.numbers.get(key) for key in _VOLTAGE_AND_CURRENT[power])
        return None if voltage is None or current is None else abs(voltage * factor * current * factor)

    def circuits(self, factor: float) -> dict[Circuit, tuple[float, float]]:
        """Return power as sent, and V x I in W, of the circuits where that is enough to tell something."""
        sums: dict[Circuit, tuple[float, float]] = {}
        for power, circuit in _CIRCUITS.items():
            if power in self.numbers and (measured := self.measured(power, factor)) is not None:
                number, watts = sums.get(circuit, (0.0, 0.0))
                sums[circuit] = number + abs(self.numbers[power]), watts + measured
        return {circuit: pair for circuit, pair in sums.items() if pair[1] >= LEAST_WATTS}

    def units(self, factor: float) -> dict[Circuit, PowerUnit]:
        """Return in which unit the powers agree with V x I, as far as this one sample tells."""
        return {
            circuit: unit
            for circuit, (number, watts) in self.circuits(factor).items()
            for unit in PowerUnit
            if agree(number * unit.watts, watts)
        }

    @property
    def scale(self) -> Scale | None:
        """The scale that the voltages show, unless a power agrees only with the other one."""
        inputs = [self.numbers[voltage] for voltage, _, _ in INPUTS.values() if voltage in self.numbers]
        battery = self.numbers.get(Key.VOLTAGE, 0.0)
        voltage = battery if battery >= LEAST_VOLTAGE else max(inputs, default=0.0)
        if not LEAST_VOLTAGE <= voltage <= HIGHEST_VOLTAGE * 10:
            return None
        shown, other = (Scale.TENTHS, Scale.WHOLE) if voltage > HIGHEST_VOLTAGE else (Scale.WHOLE, Scale.TENTHS)
        if not self.units(shown.factor) and self.units(other.factor).keys() & self.circuits(shown.factor).keys():
            return other
        return shown


class Decision[Choice: str | int]:
    """A choice that follows the evidence, and that single contrary samples do not shake."""

    def __init__(self, choices: Sequence[Choice], memory: Any = None) -> None:
        """Go on from `memory`.

        Raises:
            ValueError: it is no memory of such a decision.
        """
        self.decided: Choice | None = None
        self._leading: Choice | None = None
        self._lead = 0
        self._samples = dict.fromkeys(choices, 0)
        match memory:
            case None:
                pass
            case {"decided": decided, "leading": leading, "lead": int(lead), "samples": list(samples)} if (
                0 <= lead <= MOST_SAMPLES and len(samples) == len(choices) and all(map(_is_count, samples))
            ):
                known = {None: None} | {choice: choice for choice in choices}
                if decided not in known or leading not in known:
                    raise ValueError("another choice")
                self.decided, self._leading, self._lead = known[decided], known[leading], lead
                self._samples = dict(zip(choices, samples, strict=True))
            case _:
                raise ValueError("no decision")

    def add(self, choice: Choice) -> None:
        """Count one sample that speaks for `choice`."""
        self._samples[choice] += 1
        if choice == self._leading:
            self._lead = min(self._lead + 1, MOST_SAMPLES)
        elif self._lead:
            self._lead -= 1
        else:
            self._leading, self._lead = choice, 1
        if self._lead >= SAMPLES:
            self.decided = self._leading

    @property
    def likely(self) -> Choice | None:
        """What is decided, or else what the evidence so far speaks for."""
        return self._leading if self.decided is None else self.decided

    @property
    def memory(self) -> dict[str, Any]:
        """What `__init__` goes on from."""
        return {
            "decided": self.decided,
            "leading": self._leading,
            "lead": self._lead,
            "samples": list(self._samples.values()),
        }

    @property
    def findings(self) -> dict[str, Any]:
        """For diagnostics: the choice, and how many samples spoke for each."""
        return {
            "decided": self.decided,
            "samples": {str(choice): count for choice, count in self._samples.items() if count},
        }


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 2**53


class Learning:
    """All that is learned of one PBD."""

    def __init__(self, pv_power_fields: Sequence[str], memory: Mapping[str, Any]) -> None:
        """Go on from `memory`, which is empty where nothing has been learned.

        Raises:
            AttributeError, TypeError, ValueError: it is no memory of this kind.
        """
        units = memory.get("units", {})
        self.scale = Decision(tuple(Scale), memory.get("scale"))
        self.units = {circuit: Decision(tuple(PowerUnit), units.get(circuit)) for circuit in Circuit}
        self.sign = Decision((1, -1), memory.get("sign"))
        """1 where the cloud's battery current is positive while discharging."""
        self.pv_total_field = Decision(pv_power_fields, memory.get("pv_total_field"))
        self.inputs = {number for number in INPUTS if number in list(memory.get("inputs", ()))}
        """Numbers of the inputs that something is connected to."""
        self.seen = {Key(key) for key in memory.get("seen", ())}
        """Optional quantities that have once been something else than 0."""
        self._last: Sample | None = None

    @property
    def memory(self) -> dict[str, Any]:
        """What `__init__` goes on from."""
        return {
            "scale": self.scale.memory,
            "units": {str(circuit): decision.memory for circuit, decision in self.units.items()},
            "sign": self.sign.memory,
            "pv_total_field": self.pv_total_field.memory,
            "inputs": sorted(self.inputs),
            "seen": sorted(map(str, self.seen)),
        }

    @property
    def findings(self) -> dict[str, Any]:
        """For diagnostics."""
        return {
            "scale": self.scale.findings,
            "power_unit": {str(circuit): decision.findings for circuit, decision in self.units.items()},
            "sign": self.sign.findings,
            "pv_total_field": self.pv_total_field.findings,
            "inputs": sorted(self.inputs),
            "optional": sorted(map(str, self.seen)),
        }

    def factor(self, sample: Sample) -> float | None:
        """Return what makes V, A and °C of the numbers of `sample`; None where it contradicts the others."""
        decided = self.scale.decided or Scale.WHOLE
        return decided.factor if sample.scale in (None, decided) else None

    def unit(self, power: Key) -> PowerUnit | None:
        """Return the unit of `power`: of its circuit, or where that is undecided the one that all others have."""
        circuit = _CIRCUITS.get(power)
        if circuit and (own := self.units[circuit].decided):
            return own
        others = {self.units[other].decided for other in Circuit if other is not Circuit.PV_TOTAL} - {None}
        return others.pop() if len(others) == 1 else None

    def learn(self, sample: Sample) -> None:
        """Take in a sample that is not the last one once more."""
        last, self._last = self._last, sample
        if scale := sample.scale:
            self.scale.add(scale)
        if (factor := self.factor(sample)) is None:
            return
        for number, (voltage, current, _) in INPUTS.items():
            if (
                sample.numbers.get(voltage, 0.0) * factor >= INPUT_VOLTAGE
                or sample.numbers.get(current, 0.0) * factor >= INPUT_CURRENT
            ):
                self.inputs.add(number)
        for circuit, unit in sample.units(factor).items():
            self.units[circuit].add(unit)
        first = sample.numbers.get(Key.PV1_POWER, 0.0)
        if sample.pv_total_field and sample.numbers[Key.PV_POWER] >= CLEARLY * first > 0:
            self.pv_total_field.add(sample.pv_total_field)
        if directions := {sample.battery, _counted(last, sample, factor)} - {None}:
            current_amount = sample.numbers.get(Key.CURRENT, 0.0) * factor
            if len(directions) == 1 and abs(current_amount) >= LEAST_CURRENT:
                self.sign.add(1 if (current_amount > 0) == (Status.DISCHARGING in directions) else -1)


def _counted(last: Sample | None, sample: Sample, factor: float) -> Status | None:
    """Return what the battery did since the last sample by its counters of the day, if it did it all the time."""
    if last is None or not timedelta() < sample.taken_at - last.taken_at <= NEIGHBOURS:
        return None
    if last.numbers.get(Key.CURRENT, 0.0) * sample.numbers.get(Key.CURRENT, 0.0) <= (LEAST_CURRENT / factor) ** 2:
        return None
    rises = [
        sample.numbers[key] - last.numbers[key] if key in sample.numbers and key in last.numbers else -1.0
        for key in (Key.ENERGY_CHARGED_TODAY, Key.ENERGY_DISCHARGED_TODAY)
    ]
    match [rise >= LEAST_RISE if rise >= 0 else None for rise in rises]:
        case [True, False]:
            return Status.CHARGING
        case [False, True]:
            return Status.DISCHARGING
    return None
