"""A PBD that behaves, in true W, V, A and signs of the product, and how clouds may write it down."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import math
from typing import Any

from custom_components.dyness_atess.telemetry.atess.learning import PowerUnit

MIDNIGHT = datetime(2026, 6, 21, tzinfo=UTC)
INTERVAL = timedelta(minutes=5)
INPUT_FIELDS = {1: ("vpv", "ipv"), 2: ("vpv2", "ipv2dc"), 3: ("vpv3", "ipv3")}


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How a cloud writes numbers down."""

    power: PowerUnit = PowerUnit.KILOWATT
    pv_total: PowerUnit | None = None
    """Where it is another unit than that of the other powers."""
    tenths: bool = False
    whole: bool = False
    discharging: int = 1
    """The sign of the battery current while discharging."""
    total_first: bool = True
    """Whether `ppv` is the power of all inputs and `ppv1` that of the first."""

    def volts(self, value: float) -> float:
        """Also amperes and degrees."""
        return round(value * 10) if self.tenths else round(value) if self.whole else round(value, 1)

    def watts(self, value: float, unit: PowerUnit | None = None) -> float:
        number = value / (unit or self.power).watts
        return round(number) if self.whole or self.tenths else round(number, 1)

    @property
    def tolerance(self) -> float:
        """W that are lost in writing."""
        return (1.0 if self.whole or self.tenths else 0.1) * self.power.watts / 2 + 1


@dataclass
class Plant:
    """Three of five inputs, a battery with a management system, and a load behind the output."""

    time: datetime = MIDNIGHT
    size: float = 1.0
    soc: float = 60.0
    pv: dict[int, tuple[float, float]] = field(default_factory=dict)
    """V and A of each input."""
    battery_voltage: float = 520.0
    battery_current: float = 0.0
    output: float = 0.0
    pv_energy: float = 38788.2
    charged: float = 12000.5
    discharged: float = 11000.3
    delivered: float = 31000.7
    today: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("pv", "charged", "discharged", "out"), 0.0))

    def step(self) -> None:
        self.time += INTERVAL
        if self.time.time() == MIDNIGHT.time():
            self.today = dict.fromkeys(self.today, 0.0)
        hour = self.time.hour + self.time.minute / 60
        sun = max(0.0, math.sin(math.pi * (hour - 5) / 14)) if 5 <= hour <= 19 else 0.0
        share = {1: 1.0, 2: 0.9, 3: 0.5}
        self.pv = {
            number: (620.0 + 5 * number if sun else 0.0, 90 * sun * share[number] * self.size) for number in share
        }
        self.output = (25_000 + 10_000 * math.cos(hour)) * self.size
        self.battery_voltage = 500 + self.soc / 2
        self.battery_current = (self.output - self.pv_power) / self.battery_voltage
        self.soc = min(100.0, max(5.0, self.soc - self.battery_current / 200))
        hours = INTERVAL / timedelta(hours=1)
        flows = {
            "pv": self.pv_power,
            "charged": max(0.0, -self.battery_power),
            "discharged": max(0.0, self.battery_power),
            "out": self.output,
        }
        for name, watts in flows.items():
            self.today[name] += watts * hours / 1000
        self.pv_energy += flows["pv"] * hours / 1000
        self.charged += flows["charged"] * hours / 1000
        self.discharged += flows["discharged"] * hours / 1000
        self.delivered += flows["out"] * hours / 1000

    @property
    def pv_power(self) -> float:
        return sum(voltage * current for voltage, current in self.pv.values())

    @property
    def battery_power(self) -> float:
        return self.battery_voltage * self.battery_current

    def record(self, writing: Writing) -> dict[str, Any]:
        volts, watts = writing.volts, writing.watts
        total = watts(self.pv_power, writing.pv_total)
        powers = {number: watts(voltage * current) for number, (voltage, current) in self.pv.items()}
        charging = self.battery_current < 0
        record: dict[str, Any] = {
            "deviceSn": "UMD0D00000",
            "time": f"{self.time + timedelta(hours=8):%Y-%m-%d %H:%M:%S}",
            "status": 2,
            "runModel": 0,
            "checkTime": 0,
            "systemNo": 0,
            "ppv": total if writing.total_first else powers[1],
            "ppv1": powers[1] if writing.total_first else total,
            "ppv2": powers[2],
            "ppv3": powers[3],
            "vbat": volts(self.battery_voltage),
            "ibat": volts(self.battery_current * writing.discharging),
            "pac": watts(self.battery_power * writing.discharging),
            "capacity": round(self.soc),
            "mvpv": round(self.battery_voltage / 160, 3),
            "bvbus": volts(700),
            "outv": volts(700),
            "outi": volts(self.output / 700),
            "outPower": watts(self.output),
            "pvTemp": volts(41.5),
            "temp": volts(25.5),
            "maxTemp": 29,
            "minTemp": 27,
            "maxChargeCurr": volts(200),
            "maxDischargeCurr": volts(250),
            "maxVolt": 3.426,
            "minVolt": 3.326,
            "maxVoltCell": 11,
            "maxVoltNum": 2,
            "bmsStatus": 4 if charging else 5,
            "bmsVoltStatus": 1,
            "epvToday": self.today["pv"],
            "echargeToday": self.today["charged"],
            "edischargeToday": self.today["discharged"],
            "outDailyDischarge": self.today["out"],
            "epvTotal": self.pv_energy,
            "ebatChargeTotal": self.charged,
            "ebatDischargeTotal": self.discharged,
            "outTotalDischarge": self.delivered,
        }
        for number, (voltage, current) in self.pv.items():
            voltage_field, current_field = INPUT_FIELDS[number]
            record |= {voltage_field: volts(voltage), current_field: volts(current)}
        unused = ("vpv4", "vpv5", "ipv4", "ipv5", "ppv4", "ppv5", "bipvBuck4", "bipvBuck5")
        return dict.fromkeys(unused, 0) | record


def day(plant: Plant | None = None, hours: float = 24) -> Iterator[Plant]:
    """Let time pass."""
    plant = plant or Plant()
    for _ in range(round(timedelta(hours=hours) / INTERVAL)):
        plant.step()
        yield plant
