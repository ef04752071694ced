"""getLastPowerDataBySn: the day so far in records of five minutes (dyness-api 3.4), true or not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .battery import Battery
from .cells import mean_voltage
from .devices import Json, read_stamp


@dataclass(frozen=True, kw_only=True)
class PowerHistory:
    """How a model fills it. The newest `null_tail` records are always placeholders without values (#40)."""

    null_tail: int = 1
    soc_only_null: bool = False
    """soc is null in all of them, everything else is filled"""
    shift: timedelta = timedelta()
    """what a record shows happened so much earlier (#43)"""
    yesterday: bool = False
    """the cloud answers with the whole day before (#28)"""

    def records(
        self,
        empty: list[Json],
        *,
        known_until: datetime,
        battery: Battery,
        cells: int,
        capacity: float,
        volts: float | None = None,
    ) -> list[Json]:
        """Fill records that have nothing but a time.

        `cells` are in series, `capacity` is in Ah. With `volts` the current is such that it gives the power at this
        voltage, as on a Junior Box (dyness-api 3.4).
        """
        for record in empty[: -self.null_tail or None]:
            if (start := read_stamp(record["createTime"])) <= known_until:
                state = battery.at(start - self.shift)
                current = state.rate * capacity
                power = current * mean_voltage(state.soc, state.rate) * cells
                record["realTimeCurrent"] = round(power / volts if volts else current, 1) + 0.0
                record["realTimePower"] = round(power) if volts else round(power, 1) + 0.0
                record["soc"] = None if self.soc_only_null else str(int(state.soc))
        return empty
