"""From the record of a PBD to a Reading.

What a record means depends on the records before it, so that each device has a decoder of its own, with a memory.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import math
from typing import Any

from ..energy.counter import Lifetime, lifetimes, most_per_hour
from ..reading import Reading, Value
from ..vocabulary import BatteryStatus, DeviceStatus, Key, Status
from .fields import FAMILY, FIELD_BY_NAME, PV_POWER_FIELDS, Field, Measure
from .learning import HIGHEST_VOLTAGE, INPUTS, Learning, PowerUnit, Sample, agree
from .record import Record

IDLE_CURRENT = 1.0
"""A; a smaller battery current counts as none. It may come in whole amperes, and has an offset of some tenths."""
HIGHEST_POWER = 1000.0
"""kW; four times what a PBD250 can do."""
DEVIATION = 0.25
SLACK_WATTS = 1000.0
"""How far the power of all inputs may be from their sum, in proportion and for each in W: they may be whole kW."""
FURTHEST_WEST = timedelta(hours=12)
"""By this the westernmost clocks lag behind UTC."""
CERTAINLY_OLD = FURTHEST_WEST + timedelta(hours=3)
"""A clock that shows so much less than UTC has not been read just now, in whatever zone; three hours are its error."""

_BOUNDS = {
    Measure.VOLTAGE: (-20.0, HIGHEST_VOLTAGE),
    Measure.CURRENT: (-3000.0, 3000.0),
    Measure.TEMPERATURE: (-60.0, 150.0),
    Measure.POWER: (-2e6, 2e6),
    Measure.PV_POWER: (-2e6, 2e6),
    Measure.PERCENTAGE: (0.0, 100.0),
    # Without a battery the mean is a small negative number that arrives as 65.5.
    Measure.CELL_VOLTAGE: (1.0, 5.0),
    Measure.CELL_TEMPERATURE: (-60.0, 150.0),
    Measure.ENERGY_TODAY: (0.0, 1e5),
    # The day on which summer time ends has 25 hours.
    Measure.MINUTES_TODAY: (0.0, 1500.0),
    Measure.LIFETIME: (0.0, 1e8),
    Measure.SECONDS: (0.0, 1e5),
    Measure.NUMBER: (0.0, 1e6),
}
_POWERS = (Measure.POWER, Measure.PV_POWER)
_TODAY = (Measure.ENERGY_TODAY, Measure.MINUTES_TODAY)
_IN_SCALE = (Measure.VOLTAGE, Measure.CURRENT, Measure.TEMPERATURE)
_FAULTS = (DeviceStatus.ERROR, DeviceStatus.PERMANENT_ERROR)
_CHARGE_DISABLED = (BatteryStatus.CHARGE_DISABLED, BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED)
_DISCHARGE_DISABLED = (BatteryStatus.DISCHARGE_DISABLED, BatteryStatus.CHARGE_AND_DISCHARGE_DISABLED)
_BATTERY: Mapping[StrEnum | bool | None, Status] = {
    BatteryStatus.CHARGING: Status.CHARGING,
    BatteryStatus.DISCHARGING: Status.DISCHARGING,
}
_VERSION = 1


class PbdDecoder:
    """Decodes the records of one PBD, in the order in which they come."""

    def __init__(
        self,
        memory: Mapping[str, Any] | None = None,
        *,
        power_unit: PowerUnit | None = None,
        battery_sign: int | None = None,
    ) -> None:
        """Go on from the `memory` of an earlier decoder; what is no such memory is left aside.

        Args:
            memory: what an earlier decoder has learned.
            power_unit: of the cloud's powers; None to tell it from the numbers.
            battery_sign: 1 where the cloud's battery current is positive while discharging, -1 where it is positive
                while charging; None to tell it from the numbers.
        """
        self._power_unit = power_unit
        self._battery_sign = battery_sign
        self._disbelieved: Counter[str] = Counter()
        self._last_numbers: Mapping[str, float] = {}
        content = memory if isinstance(memory, Mapping) and memory.get("version") == _VERSION else {}
        self._lifetimes = lifetimes(content.get("lifetime"))
        try:
            self._restore(content)
        except ArithmeticError, AttributeError, LookupError, TypeError, ValueError:
            self._restore({})

    def _restore(self, memory: Mapping[str, Any]) -> None:
        self._learning = Learning(PV_POWER_FIELDS, memory.get("learning", {}))
        time, sampled_at = memory.get("taken", (None, None))
        self._time: str | None = time if isinstance(time, str) else None
        self._sampled_at = None if self._time is None else _instant(sampled_at)

    @property
    def memory(self) -> dict[str, Any]:
        """What has been learned, for JSON."""
        return {
            "version": _VERSION,
            "learning": self._learning.memory,
            "lifetime": {
                str(key): {"total": lifetime.total, **lifetime.memory} for key, lifetime in self._lifetimes.items()
            },
            "taken": [self._time, self._sampled_at.isoformat() if self._sampled_at else None],
        }

    @property
    def findings(self) -> dict[str, Any]:
        """What was decided and why, for diagnostics."""
        return {
            "overrides": {"power_unit": self._power_unit, "battery_sign": self._battery_sign},
            "battery_sign": {"used": self._sign, "confirmed": self._learning.sign.decided is not None},
            "learned": self._learning.findings,
            "disbelieved": dict(self._disbelieved),
        }

    def decode(self, data: Any, received_at: datetime) -> Reading:
        """Decode the `data` of one answer, whatever it is. Never raises."""
        record = Record.read(data)
        numbers = record.numbers
        if not any(numbers.values()):
            # All is 0 after a restart of the data logger: that is no measurement.
            return Reading(family=FAMILY, unknown=() if numbers else record.unknown)
        sampled_at, is_new = self._date(record.time, received_at.astimezone(UTC))
        sources = self._sources(numbers)
        status = sources.get(Key.BATTERY_STATUS)
        sample = Sample(
            taken_at=sampled_at,
            numbers={key: numbers[name] for key, name in sources.items()},
            battery=_BATTERY.get(_state(FIELD_BY_NAME[status], numbers[status])) if status else None,
            pv_total_field=sources.get(Key.PV_POWER),
        )
        if is_new and (record.time or numbers != self._last_numbers):
            self._learning.learn(sample)
        self._last_numbers = numbers
        draft = _Draft(
            sample=sample,
            factor=self._learning.factor(sample),
            reset=any(sample.numbers.get(key) == 0 for key in self._lifetimes),
        )
        for key, name in sources.items():
            self._use(draft, key, FIELD_BY_NAME[name])
        self._check_pv_power(draft)
        self._derive(draft)
        self._disbelieved.update(map(str, draft.disbelieved))
        values: dict[Key, Value] = {Key.LAST_REPORT: sampled_at}
        return Reading(
            family=FAMILY,
            values=values | self._totals() | draft.values,
            flags=draft.flags,
            sampled_at=sampled_at,
            unknown=(*record.unknown, *(record.point(sources[key]) for key in draft.unknown)),
            implausible=tuple(record.point(sources[key]) for key in draft.disbelieved),
        )

    def _date(self, time: str | None, received_at: datetime) -> tuple[datetime, bool]:
        """Return when a record of that `time` was taken, and whether it is another one than the last.

        The zone of the device's clock is unknown: it tells that there is a new sample, not when (atess-api 4).
        """
        if time is None:
            return received_at, True
        if time == self._time and self._sampled_at:
            return self._sampled_at, False
        self._sampled_at = received_at if self._time else _first_date(time, received_at)
        self._time = time
        return self._sampled_at, True

    def _sources(self, numbers: Mapping[str, float]) -> dict[Key, str]:
        """Return which of the fields that have a number stands for which quantity."""
        sources = {key: name for name in numbers if (key := FIELD_BY_NAME[name].key)}
        learning = self._learning
        match sorted((numbers[name], name) for name in PV_POWER_FIELDS if name in numbers):
            case [(_, first), (_, total)]:
                sources |= {Key.PV_POWER: total, Key.PV1_POWER: first}
            case [(_, only)] if learning.inputs == {1}:
                sources |= {Key.PV_POWER: only, Key.PV1_POWER: only}
            case [(_, only)] if learning.pv_total_field.decided:
                sources[Key.PV_POWER if only == learning.pv_total_field.decided else Key.PV1_POWER] = only
        return sources

    def _use(self, draft: _Draft, key: Key, row: Field) -> None:
        """Take one number over, if its meaning is known and the device has the quantity."""
        sent = draft.sample.numbers[key]
        learning = self._learning
        number_of_input = 1 if key is Key.PV1_POWER else row.input
        if number_of_input and number_of_input not in learning.inputs:
            return
        if row.measure in _TODAY and draft.reset and not sent:
            return
        if (value := self._value(draft, key, row)) is None:
            return
        if row.optional and sent:
            learning.seen.add(key)
        if row.optional and key not in learning.seen:
            return
        if isinstance(value, bool):
            draft.flags[key] = value
        elif row.measure is not Measure.LIFETIME:
            draft.values[key] = value

    def _value(self, draft: _Draft, key: Key, row: Field) -> Value | None:
        """Return what a number means; None, noted where it is one, where it means nothing or cannot be."""
        value = draft.sample.numbers[key]
        if row.measure in (Measure.STATE, Measure.FLAG):
            state = _state(row, value)
            if state is None:
                draft.unknown.append(key)
            return state
        believed = True
        if row.measure in _POWERS:
            unit = self._power_unit or self._learning.unit(key)
            if unit is None or draft.factor is None:
                return None
            value *= unit.watts
            measured = None if self._power_unit else draft.sample.measured(key, draft.factor)
            believed = measured is None or agree(abs(value), measured, rounding=unit.watts)
        elif row.measure in _IN_SCALE:
            if draft.factor is None:
                return None
            value *= draft.factor
        low, high = _BOUNDS[row.measure]
        believed &= low <= value <= high
        if row.measure is Measure.NUMBER:
            believed &= value.is_integer()
        elif row.measure is Measure.LIFETIME:
            believed = believed and self._believes_lifetime(key, round(value, 2), draft.sample.taken_at)
        if not believed:
            draft.disbelieved.append(key)
            return None
        if row.measure is Measure.NUMBER:
            return int(value)
        # Single precision adds digits.
        return round(value, 3 if row.measure is Measure.CELL_VOLTAGE else 2)

    def _believes_lifetime(self, key: Key, value: float, at: datetime) -> bool:
        """Return whether a counter shows what it can show by now."""
        if key not in self._lifetimes and not value:
            return True  # 0 cannot be told from no data (atess-api 8): to the real total would be too far
        lifetime = self._lifetimes.setdefault(key, Lifetime())
        return lifetime.add(value, at, most_per_hour(key, power=HIGHEST_POWER), now=at)

    def _totals(self) -> dict[Key, Value]:
        return {key: lifetime.total for key, lifetime in self._lifetimes.items() if lifetime.total is not None}

    def _check_pv_power(self, draft: _Draft) -> None:
        """Compare the power of all inputs with those of each; where the first is wrong, the two may be confused."""
        total = draft.values.get(Key.PV_POWER)
        inputs = [draft.values.get(INPUTS[number][2]) for number in self._learning.inputs]
        powers = [power for power in inputs if isinstance(power, float)]
        if not isinstance(total, float):
            return
        differs = abs(total - sum(powers)) > DEVIATION * abs(total) + SLACK_WATTS * (len(powers) + 1)
        if Key.PV1_POWER in draft.disbelieved or (powers and len(powers) == len(inputs) and differs):
            del draft.values[Key.PV_POWER]
            draft.disbelieved.append(Key.PV_POWER)

    def _derive(self, draft: _Draft) -> None:
        """Add what follows from the values of this same sample, in the signs of the product."""
        values, flags = draft.values, draft.flags
        sign = self._sign
        current, power = values.get(Key.CURRENT), values.get(Key.POWER)
        if isinstance(current, float):
            current = values[Key.CURRENT] = current * sign + 0.0  # never -0.0
            idle = abs(current) < IDLE_CURRENT
            values[Key.STATUS] = Status.IDLE if idle else Status.DISCHARGING if current > 0 else Status.CHARGING
            flags[Key.CHARGING] = values[Key.STATUS] == Status.CHARGING
            if isinstance(power, float):
                values[Key.POWER] = (power * sign if idle else math.copysign(power, current)) + 0.0
        elif isinstance(power, float):
            values[Key.POWER] = power * sign + 0.0
        highest, lowest = values.get(Key.CELL_VOLTAGE_MAX), values.get(Key.CELL_VOLTAGE_MIN)
        if isinstance(highest, float) and isinstance(lowest, float):
            values[Key.CELL_VOLTAGE_SPREAD] = round((highest - lowest) * 1000)
        if Key.DEVICE_STATUS in values:
            flags[Key.FAULT] = values[Key.DEVICE_STATUS] in _FAULTS
        if battery := values.get(Key.BATTERY_STATUS):
            flags[Key.CHARGE_ENABLED] = battery not in _CHARGE_DISABLED
            flags[Key.DISCHARGE_ENABLED] = battery not in _DISCHARGE_DISABLED

    @property
    def _sign(self) -> int:
        """1 where the cloud's battery current is positive while discharging, which is likely (atess-api 5.8)."""
        return self._battery_sign or self._learning.sign.likely or 1


@dataclass(kw_only=True, slots=True)
class _Draft:
    """What has been made of one record so far."""

    sample: Sample
    factor: float | None
    """What makes V, A and °C of the numbers; None where that is not clear."""
    reset: bool
    """Whether a lifetime counter fell to 0, so that another 0 may be no measurement either."""
    values: dict[Key, Value] = field(default_factory=dict)
    flags: dict[Key, bool] = field(default_factory=dict)
    unknown: list[Key] = field(default_factory=list)
    """States that have no name."""
    disbelieved: list[Key] = field(default_factory=list)


def _state(row: Field, sent: float) -> StrEnum | bool | None:
    if row.states is None:
        return bool(sent) if sent in (0, 1) else None
    return row.states.get(int(sent)) if sent.is_integer() else None


def _first_date(time: str, received_at: datetime) -> datetime:
    """Return the latest that the first record can have been taken, if it is certainly old, else `received_at`."""
    try:
        clock = datetime.fromisoformat(time).replace(tzinfo=UTC)
    except ValueError:
        return received_at
    return clock + FURTHEST_WEST if received_at - clock > CERTAINLY_OLD else received_at


def _instant(text: Any) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("no instant")
    return instant.astimezone(UTC)
