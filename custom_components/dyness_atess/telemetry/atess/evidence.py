"""What a record says of how it is to be read: whole numbers or tenths, and which way the battery's current flows."""

from collections.abc import Mapping, Sequence
import math
from typing import Any

from ..vocabulary import BatteryStatus, DeviceStatus, Key
from .fields import BATTERY, Field, Measure

CONTRARY = 3
IDLE_CURRENT = 1.0  # A; a smaller current counts as none: it may come in whole amperes, and has an offset
WORKING_VOLTAGE = 160.0  # V; no converter works with less
WORKING_CURRENT = 5.0  # A; in tenths of A offsets are smaller
LEAST_BALANCE = 2000.0  # W that must remain for output and inputs to tell whether the battery is charged,
LOSSES = 0.1  # and the part of what flows
LEAST_RISE = 0.05  # kWh; counters have a resolution of 0.1
BALANCE = "balance of output and inputs"

INPUTS = {Key(f"pv{n}_power"): (Key(f"pv{n}_voltage"), Key(f"pv{n}_current")) for n in range(1, 6)}
CIRCUITS = INPUTS | {
    Key.POWER: (Key.VOLTAGE, Key.CURRENT),
    Key.OUTPUT_POWER: (Key.OUTPUT_VOLTAGE, Key.OUTPUT_CURRENT),
}
"""Powers, and what they are the product of."""
SCALED = (Measure.VOLTAGE, Measure.CURRENT, Measure.TEMPERATURE)
_WORKING = (DeviceStatus.RUNNING, DeviceStatus.ON_GRID, DeviceStatus.OFF_GRID, DeviceStatus.SINGLE_PV)
_DIRECTIONS = {BatteryStatus.DISCHARGING: 1, BatteryStatus.CHARGING: -1}


def decide(decision: list[Any], choice: float, by: str) -> None:
    """Add evidence to what was decided, by what, and how many pieces in a row speak against it: three turn it.

    The balance decides until there is something better, and never speaks against that.
    """
    decided, decided_by, contrary = decision
    if by == BALANCE and decided_by not in ("", BALANCE):
        return
    contrary = 0 if choice == decided else contrary + 1
    is_turned = decided is None or decided_by == BALANCE != by or contrary == CONTRARY
    decision[:] = (choice, by, 0) if is_turned else (decided, decided_by, contrary)


def scale(numbers: Sequence[tuple[Field, float]]) -> tuple[float, str] | None:
    """Return what makes V, A and °C of the numbers of one record, and what shows that."""
    scaled = [(row, sent) for row, sent in numbers if row.measure in SCALED]
    for row, sent in scaled:
        highest = row.measure.value[1]
        # 6553.5 and a little less is a small negative number, read as unsigned.
        if row.measure is not Measure.CURRENT and highest < sent <= 10 * highest and not 6500 <= sent <= 6554:
            return 0.1, f"{row.name} {sent:g}"
    if not all(sent.is_integer() for _, sent in scaled):
        return 1.0, "decimals"
    currents = {current for _, current in CIRCUITS.values()}
    works = any(
        abs(sent) >= WORKING_CURRENT if row.key in currents else row.states and row.states.get(sent) in _WORKING
        for row, sent in numbers
    )
    voltages = [sent for row, sent in scaled if row.measure is Measure.VOLTAGE and (works or row.part == BATTERY)]
    highest = max(voltages, default=0.0)
    return (1.0, f"whole numbers up to {highest:g} V") if highest >= WORKING_VOLTAGE else None


def direction(
    now: Mapping[Key, Any], last: Mapping[Key, Any], powers: Mapping[Key, float | None]
) -> tuple[float, str] | None:
    """Return whether the cloud's battery current is positive (1) or negative (-1) while discharging, and by what.

    A new record tells, or its difference to the `last` one, or only if neither does output and inputs.
    """
    current, before = now.get(Key.CURRENT, 0.0), last.get(Key.CURRENT, 0.0)
    if abs(current) <= IDLE_CURRENT:
        return None
    told = {_DIRECTIONS.get(now.get(Key.BATTERY_STATUS, BatteryStatus.IDLE), 0): "battery status"}
    counters = (Key.ENERGY_CHARGED_TODAY, Key.ENERGY_DISCHARGED_TODAY)
    if before * current > 0 and abs(before) > IDLE_CURRENT and all(key in now and key in last for key in counters):
        charged, discharged = (now[key] - last[key] for key in counters)
        if min(charged, discharged) >= 0:
            told.setdefault((discharged >= LEAST_RISE) - (charged >= LEAST_RISE), "counters of the day")
    told.pop(0, None)
    told = told or {_balance(powers): BALANCE}
    flows, by = told.popitem()
    return (math.copysign(1, current) * flows, by) if flows and not told else None


def _balance(powers: Mapping[Key, float | None]) -> int:
    """Return 1 where more goes out than comes in, so that the battery is discharged, -1 where less, else 0."""
    output, battery = powers.get(Key.OUTPUT_POWER) or 0.0, powers.get(Key.POWER) or 0.0
    inputs = [powers[power] for power in INPUTS if power in powers]
    if output <= 0 or not battery or None in inputs:
        return 0
    taken = sum(filter(None, inputs))
    rest = output - taken
    is_clear = abs(rest) > max(LEAST_BALANCE, LOSSES * max(output, taken)) and 0.5 <= abs(rest / battery) <= 2
    return int(math.copysign(1, rest)) if is_clear else 0
