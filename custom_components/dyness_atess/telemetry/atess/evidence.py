"""What a record says of how it is to be read: whole numbers or tenths, and which way the battery's current flows."""

from collections.abc import Mapping, Sequence
import math
from typing import Any

from ..vocabulary import BatteryStatus, DeviceStatus, Key
from .fields import BATTERY, Field, Measure

CONTRARY = 3
IDLE_CURRENT = 1.0  # A; a smaller current counts as none: it may come in whole amperes, and has an offset
WORKING_VOLTAGE = 160.0  # V; no converter works with less
LEAST_BALANCE = 2000.0  # W that must remain to see from output and inputs whether the battery is charged,
LOSSES = 0.1  # and the part of what flows
LEAST_RISE = 0.05  # kWh; counters have a resolution of 0.1
BALANCE = "balance of output and inputs"
SCALED = (Measure.VOLTAGE, Measure.CURRENT, Measure.TEMPERATURE)
_RESTING = (DeviceStatus.STANDBY, DeviceStatus.CHECKING, DeviceStatus.ERROR, DeviceStatus.PERMANENT_ERROR)


def decide(decision: list[Any], choice: float, by: str) -> None:
    """Add evidence: three contrary pieces in a row turn a decision; the balance only decides until there is better."""
    decided, decided_by, contrary = decision
    if by == BALANCE and decided_by not in ("", BALANCE):
        return
    contrary = 0 if choice == decided else contrary + 1
    is_turned = decided is None or decided_by == BALANCE != by or contrary == CONTRARY
    decision[:] = (choice, by, 0) if is_turned else (decided, decided_by, contrary)


def scale(rows: Sequence[tuple[Field, float]]) -> tuple[float, str] | None:
    """Return what makes V, A and °C of the numbers of one record, and what shows that."""
    scaled = [(row, sent) for row, sent in rows if row.measure in SCALED]
    for row, sent in scaled:
        highest = row.measure.value[1]
        # 6553.5 and a little less is a small negative number, read as unsigned.
        if row.measure is not Measure.CURRENT and highest < sent <= 10 * highest and not 6500 <= sent <= 6554:
            return 0.1, f"{row.name} {sent:g}"
    if not all(sent.is_integer() for _, sent in scaled):
        return 1.0, "decimals"
    rests = any(row.states and row.states[sent] in _RESTING for row, sent in rows)
    voltages = [sent for row, sent in scaled if row.measure is Measure.VOLTAGE and (row.part == BATTERY or not rests)]
    highest = max(voltages, default=0.0)
    return (1.0, f"whole numbers up to {highest:g} V") if highest >= WORKING_VOLTAGE else None


def direction(
    now: Mapping[Key, Any], last: Mapping[str, float], powers: Mapping[Key, float | None]
) -> tuple[float, str] | None:
    """Return whether the cloud's current is positive (1) or negative (-1) while discharging, and by which evidence."""
    current, status = now.get(Key.CURRENT, 0.0), now.get(Key.BATTERY_STATUS)
    if abs(current) <= IDLE_CURRENT:
        return None
    discharged, charged = (
        now[key] - last[key] if key in now and key in last and last.get(Key.CURRENT, 0.0) * current > 0 else 0.0
        for key in (Key.ENERGY_DISCHARGED_TODAY, Key.ENERGY_CHARGED_TODAY)
    )
    output, taken = powers.get(Key.OUTPUT_POWER) or 0.0, powers[Key.PV_POWER]
    rest = output - taken if output > 0 and taken is not None else 0.0
    evidence = {
        "battery status": (status is BatteryStatus.DISCHARGING) - (status is BatteryStatus.CHARGING),
        "counters of the day": ((discharged >= LEAST_RISE) - (charged >= LEAST_RISE)) * (min(discharged, charged) >= 0),
        BALANCE: rest if abs(rest) > max(LEAST_BALANCE, LOSSES * max(output, taken or 0.0)) else 0,
    }
    return next(((math.copysign(1, current * flows), by) for by, flows in evidence.items() if flows), None)
