"""A Cygni hybrid inverter with its battery (dyness-api 6.6, 3.5). Of its points no public dump has the vendor's names.

Its signs are those of #17: battery current and power are negative while charging, in points and in running data.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from .cells import ambient, cell_temperatures, mean_voltage
from .devices import Json, stamp
from .models import CYGNI, Model
from .points import Truth, Values, electrical
from .storage import Storage

CAPACITY = 75.0
"""Ah; 4 × 7.68 kWh"""
STRINGS = ((560.0, 0.6), (520.0, 0.4))
"""V of each PV input and its share of the power"""
GRID_VOLTAGE = 230.0
BEFORE = {
    "energy_charged": 3120.4,
    "energy_discharged": 2955.1,
    "pv_energy": 9120.7,
    "energy_exported": 4020.3,
    "energy_imported": 1630.8,
}
"""kWh at EPOCH"""
POINTS = {
    "164": "internal_temperature",
    "165": "heatsink_temperature",
    "166": "inverter_module_temperature",
    "170": "voltage",
    "171": "current",
    "172": "power",
    "173": "status",
    "195-196": "energy_charged",
    "197": "energy_charged_today",
    "198-199": "energy_discharged",
    "200": "energy_discharged_today",
    "2003": "battery_temperature",
    "2004": "charge_current_limit",
    "2005": "discharge_current_limit",
    "2010": "soc",
    "2011": "soh",
}
STATUS_NUMBERS = {"idle": "0", "charging": "1", "discharging": "2"}
RUNNING = {
    "activePower": "inverter_power",
    "apparentPower": "inverter_power",
    "rpower": "inverter_power",
    "gridPower": "grid_power",
    "loadPower": "load_power",
    "pvPower": "pv_power",
    "batteryPower": "power",
    "batteryVoltage": "voltage",
    "batteryCurrent": "current",
    "batterySoc": "soc",
    "batterySoh": "soh",
    "batteryTemperature": "battery_temperature",
    "chargingLimitCurrent": "charge_current_limit",
    "dischargeLimitCurrent": "discharge_current_limit",
    "buyEnergy": "energy_imported_today",
    "sellEnergy": "energy_exported_today",
    "totalBuyEnergy": "energy_imported",
    "totalSellEnergy": "energy_exported",
    "dayGeneration": "pv_energy_today",
    "totalGeneration": "pv_energy",
    "internalTemperature": "internal_temperature",
    "heatDissipationTemperature": "heatsink_temperature",
    "moduleTemperature": "inverter_module_temperature",
} | {
    f"pv{number}{what.title()}": f"pv{number}_{what}"
    for number in range(1, len(STRINGS) + 1)
    for what in ("voltage", "current", "power")
}
STEADY = dict.fromkeys(("outputMethod", "runModel", "reactivePower"), "0") | {
    **dict.fromkeys(("workStatus", "meterStatus", "gridStatus"), "1"),
    "batteryCount": "4",
    "rvoltage": str(GRID_VOLTAGE),
    "rgridFrequency": "50.0",
}


class House(NamedTuple):
    """Powers in W."""

    pv: int
    battery: int
    """positive while discharging"""
    output: int
    """AC output of the inverter"""
    grid: int
    """positive while exporting"""


@dataclass(kw_only=True)
class Cygni(Storage):
    """It has neither modules nor SUB. With `null_at_night` its running data are all null without sun (F37)."""

    model: Model = CYGNI
    capacities: tuple[float, ...] = (CAPACITY,)
    null_at_night: bool = False

    def values(self, now: datetime) -> Values:
        """Give the points of the newest sample."""
        truth = self.truth(now)
        values: Values = {"T": stamp(self.sample_time(now))}
        for point, key in POINTS.items():
            value = truth[key]
            text = f"{value:.1f}" if isinstance(value, float) else str(value)
            values[point] = STATUS_NUMBERS.get(text, text)
        return values

    def truth(self, now: datetime) -> Truth:
        """Give what the points show, and what the running data show of panels, house and grid."""
        state = self.state(now)
        voltage = round(mean_voltage(state.soc, state.rate) * self.model.cells, 1)
        room = ambient(state) + self.warmer_by
        house = self.house(now)
        return (
            self.rated(now)
            | electrical(voltage, round(state.rate * CAPACITY, 1) + 0.0)
            | self._counters(now)
            | {
                "soc": int(state.soc),
                "soh": 100,
                "power": house.battery,
                "internal_temperature": round(room + 8, 1) + 0.0,
                "heatsink_temperature": round(room + 6 + 20 * abs(state.rate), 1) + 0.0,
                "inverter_module_temperature": round(room + 7 + 25 * abs(state.rate), 1) + 0.0,
                "battery_temperature": round(cell_temperatures(state, 1, self.seed)[0] + self.warmer_by, 1) + 0.0,
                "charge_current_limit": round(state.charge_limit * CAPACITY, 1),
                "discharge_current_limit": CAPACITY / 2,
                "energy_remaining": self.energy_rated * state.soc / 100,
            }
            | (self._running_truth(house) if self._awake(now) else {})
        )

    def running(self, now: datetime) -> Json:
        """Give getLastRunningDataBySn: texts, and null where nobody knows what the vendor means."""
        running = super().running(now)
        if not self._awake(now):
            return running
        truth = self.truth(now)
        shown = {field: str(truth[key]) for field, key in RUNNING.items()}
        shown["apparentPower"] = shown["apparentPower"].removeprefix("-")
        shown["rcurrent"] = str(round(self.house(now).output / GRID_VOLTAGE, 1))
        return running | STEADY | shown | {"firmwareVersion": self.model.firmware}

    def power_history(self, now: datetime) -> list[Json]:
        """Turn the signs."""
        records = super().power_history(now)
        for record in records:
            for field in ("realTimeCurrent", "realTimePower"):
                if record[field] is not None:
                    record[field] = 0.0 - record[field]
        return records

    def house(self, now: datetime) -> House:
        """Give the powers, which add up."""
        state = self.state(now)
        rated = self.energy_rated * 1000
        battery = round(-state.rate * CAPACITY * mean_voltage(state.soc, state.rate) * self.model.cells)
        panels = round(state.solar * rated)
        grid = round((state.solar - state.load - state.rate) * rated)
        return House(pv=panels, battery=battery, output=panels + battery, grid=grid)

    def _awake(self, now: datetime) -> bool:
        return not self.null_at_night or self.state(now).solar > 0

    def _running_truth(self, house: House) -> Truth:
        truth: Truth = {
            "pv_power": house.pv,
            "load_power": house.output - house.grid,
            "grid_power": house.grid,
            "inverter_power": house.output,
        }
        for number, (voltage, share) in enumerate(STRINGS, 1):
            power = round(house.pv * share)
            truth[f"pv{number}_voltage"] = voltage if power else 0.0
            truth[f"pv{number}_current"] = round(power / voltage, 1)
            truth[f"pv{number}_power"] = power
        return truth

    def _counters(self, now: datetime) -> Truth:
        truth: Truth = {}
        for flown, suffix in zip(self.throughput(now), ("", "_today"), strict=True):
            energies = (flown.charged, flown.discharged, flown.solar, flown.exported, flown.imported)
            for name, energy in zip(BEFORE, energies, strict=True):
                before = 0.0 if suffix else BEFORE[name]
                truth[name + suffix] = round(before + energy * self.kilowatt_hours, 1) + 0.0
        return truth
