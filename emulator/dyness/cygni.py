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
GRID_VOLTAGE, GRID_FREQUENCY = 230.0, 50.0
BEFORE = {
    "energy_charged": 3120.4,
    "energy_discharged": 2955.1,
    "pv_energy": 9120.7,
    "energy_exported": 4020.3,
    "energy_imported": 1630.8,
}
"""kWh at EPOCH"""


class House(NamedTuple):
    """Powers in W."""

    pv: int
    battery: int
    """positive while discharging"""
    output: int
    """AC output of the inverter"""
    grid: int
    """positive while exporting"""

    @property
    def load(self) -> int:
        """What the house takes."""
        return self.output - self.grid


@dataclass(kw_only=True)
class Cygni(Storage):
    """It has neither modules nor SUB. With `null_at_night` its running data are all null without sun (F37)."""

    model: Model = CYGNI
    capacities: tuple[float, ...] = (CAPACITY,)
    null_at_night: bool = False

    def values(self, now: datetime) -> Values:
        """Give the points of the newest sample."""
        truth = self.truth(now)
        return {
            "T": stamp(self.sample_time(now)),
            "164": f"{truth['internal_temperature']:.1f}",
            "165": f"{truth['heatsink_temperature']:.1f}",
            "166": f"{truth['inverter_module_temperature']:.1f}",
            "170": f"{truth['voltage']:.1f}",
            "171": f"{truth['current']:.1f}",
            "172": str(self.house(now).battery),
            "173": {"charging": "1", "discharging": "2"}.get(str(truth["status"]), "0"),
            "195-196": f"{truth['energy_charged']:.1f}",
            "197": f"{truth['energy_charged_today']:.1f}",
            "198-199": f"{truth['energy_discharged']:.1f}",
            "200": f"{truth['energy_discharged_today']:.1f}",
            "2003": f"{truth['battery_temperature']:.1f}",
            "2004": f"{truth['charge_current_limit']:.1f}",
            "2005": f"{truth['discharge_current_limit']:.1f}",
            "2010": str(truth["soc"]),
            "2011": str(truth["soh"]),
        }

    def truth(self, now: datetime) -> Truth:
        """Give what the points tell, and what the running data tell of panels, house and grid."""
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
        running = super().running(now) or {}
        if not self._awake(now):
            return running
        truth = self.truth(now)
        house = self.house(now)
        shown = {
            "outputMethod": 0,
            "runModel": 0,
            "workStatus": 1,
            "meterStatus": 1,
            "gridStatus": 1,
            "activePower": house.output,
            "reactivePower": 0,
            "apparentPower": abs(house.output),
            "gridPower": house.grid,
            "loadPower": house.load,
            "pvPower": house.pv,
            "batteryPower": house.battery,
            "batteryVoltage": truth["voltage"],
            "batteryCurrent": truth["current"],
            "batterySoc": truth["soc"],
            "batterySoh": truth["soh"],
            "batteryTemperature": truth["battery_temperature"],
            "chargingLimitCurrent": truth["charge_current_limit"],
            "dischargeLimitCurrent": truth["discharge_current_limit"],
            "batteryCount": 4,
            "buyEnergy": truth["energy_imported_today"],
            "sellEnergy": truth["energy_exported_today"],
            "totalBuyEnergy": truth["energy_imported"],
            "totalSellEnergy": truth["energy_exported"],
            "dayGeneration": truth["pv_energy_today"],
            "totalGeneration": truth["pv_energy"],
            "internalTemperature": truth["internal_temperature"],
            "heatDissipationTemperature": truth["heatsink_temperature"],
            "moduleTemperature": truth["inverter_module_temperature"],
            "firmwareVersion": self.model.firmware,
            "rvoltage": GRID_VOLTAGE,
            "rcurrent": round(house.output / GRID_VOLTAGE, 1),
            "rgridFrequency": GRID_FREQUENCY,
            "rpower": house.output,
        }
        for number in range(1, len(STRINGS) + 1):
            shown |= {
                f"pv{number}{what.title()}": truth[f"pv{number}_{what}"] for what in ("voltage", "current", "power")
            }
        return running | {key: str(value) for key, value in shown.items()}

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
            "load_power": house.load,
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
