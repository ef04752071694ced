"""A PBD or HPS with panels, a lithium iron phosphate battery and a load; what its cloud shows is atess-api 5, 6."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Literal

from ..dyness.battery import DAY, EPOCH, BatteryState
from ..dyness.cells import ambient, cell_temperatures, cell_voltages
from ..dyness.devices import Device, Json, stamp
from .fields import (
    DOUBLES,
    FLOATS,
    GROUPS,
    HPS_NAMES,
    MEASURES,
    NOISE,
    PBD_ONLY,
    POWERS,
    WHOLE,
    WRAPPED,
    single,
    tenths,
)
from .plant import Plant, Totals

type Measures = Literal["decimals", "integers", "tenths"]
type Sign = Literal["discharging", "charging"]
type TimeForm = Literal["plain", "zone", "utc", "epoch", "milliseconds"]

PANELS = ((30.0, 640.0), (25.0, 610.0), (20.0, 575.0))
"""kW and V of each input at its best"""
CAPACITY = 100.0
"""kWh: 208 cells of 150 Ah"""
BOXES = 13
CELLS_PER_BOX = 16
SENSORS_PER_BOX = 4
CURRENT_LIMIT = 150.0
"""A per C"""
BEFORE = Totals(
    pv_energy=84213.7,
    energy_charged=38788.2,
    energy_discharged=36921.4,
    output_energy=81950.9,
    pv_time=4103.6,
    charge_time=1759.5,
    discharge_time=3411.8,
)
"""What the counters showed at EPOCH"""
BATTERY = ("soc", "voltage", "current", "power", "energy_charged", "energy_discharged", "charge_time", "discharge_time")


@dataclass(kw_only=True)
class Pbd(Device):
    """A PBD whose plant lives `speed` times as fast as the clock; at 1 its day starts at midnight of `utc_offset`.

    The variants are what atess-api 5.1 and 5.7 to 5.9 leave open. `size` 1 is 55 kW of panels. `overrides` are fields
    that it shows differently. `stuck_since`: its clock stands. `frozen_at`: servers that take turns answer with what
    they had then. `null_at_night`: without sun there is no record.
    """

    serial: str = "DEMOPBD001"
    speed: float = 1.0
    seed: int = 0
    size: float = 1.0
    inputs: Literal[1, 2, 3] = 2
    has_battery: bool = True
    has_bms: bool = True
    measures: Measures = "decimals"
    positive: Sign = "discharging"
    time_form: TimeForm = "plain"
    overrides: Json = field(default_factory=dict)
    stuck_since: datetime | None = None
    frozen_at: tuple[datetime, ...] = ()
    null_at_night: bool = False
    _restart: tuple[datetime, timedelta] | None = field(default=None, init=False, repr=False)

    @cached_property
    def plant(self) -> Plant:
        """What is connected to it."""
        peak = sum(power for power, _ in PANELS[: self.inputs])
        return Plant(seed=self.seed, peak=peak * self.size, capacity=CAPACITY * self.size, storage=self.has_battery)

    @property
    def path(self) -> str:
        """Where the cloud has its record."""
        return "/pbd/data-last"

    def restart_logger(self, now: datetime, minutes: float = 10) -> None:
        """Let the data logger start anew: it reports at once, and zeros only for some minutes."""
        self._restart = now, timedelta(minutes=minutes)

    def sample_time(self, now: datetime) -> datetime:
        """Give the time of the newest sample that has arrived in the cloud."""
        sample = super().sample_time(now)
        until = min(now, self.offline_since or now)
        return max(sample, self._restart[0]) if self._restart and self._restart[0] <= until else sample

    def answer(self, now: datetime) -> Json | None:
        """Give what the cloud answers with."""
        if self.frozen_at:
            now = self.frozen_at[int(now.timestamp() // 60) % len(self.frozen_at)]
        asleep = self.null_at_night and not self.plant.flow(self._local(now)).available
        return None if asleep else self.record(now)

    def record(self, now: datetime) -> Json:
        """Give pbd/data-last: 78 fields (atess-api 5)."""
        sample = self.sample_time(now)
        fields = self._fields(now) | self.overrides
        if self._restart and timedelta() <= sample - self._restart[0] < self._restart[1]:
            fields = dict.fromkeys(fields, 0)
        fields |= {"deviceSn": self.serial, "time": self._time(min(sample, self.stuck_since or sample))}
        return dict(sorted(fields.items()))

    def _fields(self, now: datetime) -> Json:
        return self._state(self._local(self.sample_time(now))) | self._values(self.truth(now))

    def _time(self, sample: datetime) -> str | int:
        match self.time_form:
            case "plain":
                return stamp(sample if self.eager else sample + self.utc_offset)
            case "zone":
                return sample.astimezone(timezone(self.utc_offset)).isoformat(timespec="seconds")
            case "utc":
                return f"{sample:%Y-%m-%dT%H:%M:%SZ}"
            case "epoch":
                return int(sample.timestamp())
            case "milliseconds":
                return int(sample.timestamp() * 1000)

    def truth(self, now: datetime) -> dict[str, float]:
        """Give what the newest sample measured, in V, A, W, °C, %, kWh, minutes today and hours ever.

        Battery power and current are positive while discharging. Quantities that the site does not have are missing.
        """
        local = self._local(self.sample_time(now))
        totals = self.plant.totals(local)
        today = asdict(totals.plus(self.plant.totals(local // DAY * DAY), -1))
        today |= {name: 60 * today[name] for name in ("pv_time", "charge_time", "discharge_time")}
        counters = asdict(BEFORE.plus(totals)) | {f"{name}_today": value for name, value in today.items()}
        truth = self._powers(local) | counters
        gone = () if self.has_battery else tuple(f"{name}{end}" for name in BATTERY for end in ("", "_today"))
        return {name: value for name, value in truth.items() if name not in gone}

    def _local(self, sample: datetime) -> float:
        """Emulated plant-local seconds since EPOCH."""
        return (sample - EPOCH).total_seconds() * self.speed + self.utc_offset.total_seconds()

    def _battery(self, local: float) -> BatteryState:
        flow = self.plant.flow(local)
        return BatteryState(
            soc=flow.soc,
            rate=-flow.battery / self.plant.capacity,
            charge_limit=flow.charge_limit,
            hour=local % DAY / 3600,
        )

    def _powers(self, local: float) -> dict[str, float]:
        flow, battery = self.plant.flow(local), self._battery(local)
        voltages = cell_voltages(battery, BOXES * CELLS_PER_BOX, self.seed)
        voltage = sum(voltages)
        # Without a battery nothing holds the bus up at night.
        bus = 752 - 0.2 * flow.output / self.size if self.has_battery or flow.available else 0.0
        room = ambient(battery) + 6
        values = {
            "soc": flow.soc,
            "voltage": voltage,
            "current": 1000 * flow.battery / voltage,
            "power": 1000 * flow.battery,
            "bus_voltage": bus,
            "output_voltage": max(bus - 1.5, 0.0),
            "output_current": 1000 * flow.output / (bus - 1.5),
            "output_inductor_current": 500 * flow.output / (bus - 1.5),
            "output_power": 1000 * flow.output,
            "pv_power": 1000 * flow.pv,
            "temperature": room,
            "pv_temperature": room + 0.5 * flow.pv / self.size,
            "pv_inductor_temperature": room + 0.6 * flow.pv / self.size,
            "output_temperature": room + 0.5 * flow.output / self.size,
            "output_inductor_temperature": room + 0.7 * flow.output / self.size,
        }
        for number, (peak, best) in enumerate(PANELS[: self.inputs], 1):
            power = 1000 * flow.pv * peak * self.size / self.plant.peak
            # A full battery throttles: the panels leave their best voltage upwards.
            throttle = 1 - flow.pv / flow.available if flow.available else 0.0
            panels = best * (0.95 + 0.05 * flow.available / self.plant.peak + 0.12 * throttle) if power else 0.0
            values[f"pv{number}_voltage"] = panels
            values[f"pv{number}_current"] = power / panels if panels else 0.0
            values[f"pv{number}_inductor_current"] = power / bus if bus else 0.0
            values[f"pv{number}_power"] = power
        return values | (self._bms(battery, voltages) if self.has_bms and self.has_battery else {})

    def _bms(self, battery: BatteryState, voltages: list[float]) -> dict[str, float]:
        temperatures = cell_temperatures(battery, BOXES * SENSORS_PER_BOX, self.seed)
        values = {
            "cell_voltage_mean": sum(voltages) / len(voltages),
            "charge_current_limit": battery.charge_limit * CURRENT_LIMIT * self.size,
            "discharge_current_limit": 0.5 * CURRENT_LIMIT * self.size if battery.soc > self.plant.reserve else 0.0,
        }
        for name, extreme in (("max", max), ("min", min)):
            box, cell = divmod(voltages.index(extreme(voltages)), CELLS_PER_BOX)
            values[f"cell_voltage_{name}"] = extreme(voltages)
            values[f"cell_voltage_{name}_module"] = box + 1
            values[f"cell_voltage_{name}_cell"] = cell + 1
            values[f"cell_temperature_{name}"] = extreme(temperatures)
            values[f"cell_temperature_{name}_module"] = temperatures.index(extreme(temperatures)) // SENSORS_PER_BOX + 1
        return values

    def _state(self, local: float) -> Json:
        """Give the fields that are states (atess-api 5.6)."""
        battery = self._battery(local)
        if battery.rate > 0:
            status = 4
        elif battery.rate < 0:
            status = 5
        else:
            status = 3 if battery.charge_limit else 2
        present = int(self.has_bms and self.has_battery)
        bms = {"bmsStatus": status * present, "bmsSystemStatus": present, "bmsVoltStatus": present}
        running = 2 if self.plant.flow(local).output else 0
        own = {"status": running, "runModel": 0, "systemNo": 0, "checkTime": 0.0}
        return own | bms | dict.fromkeys(GROUPS, present)

    def _values(self, truth: dict[str, float]) -> Json:
        """Show what is true in the form of this variant."""
        measured = {name: truth.get(key, 0.0) for name, key in (MEASURES | POWERS).items()}
        if self.positive == "charging":
            measured |= {"ibat": -measured["ibat"], "pac": -measured["pac"]}
        measured |= {name: noise for name, noise in NOISE.items() if not measured[name]}
        mean = truth.get("cell_voltage_mean", WRAPPED)
        return (
            {name: self._measure(measured[name]) for name in MEASURES}
            | {name: round(measured[name] / 1000, 1) + 0.0 for name in POWERS}
            | {name: round(truth.get(key, 0)) for name, key in WHOLE.items()}
            | {name: tenths(truth.get(key, 0.0)) for name, key in DOUBLES.items()}
            | {name: single(tenths(truth.get(key, 0.0))) for name, key in FLOATS.items()}
            | {"mvpv": single(round(mean, 3))}
            | {f"{name}Volt": single(truth.get(f"cell_voltage_{name}", 0.0)) for name in ("max", "min")}
        )

    def _measure(self, value: float) -> float:
        """Show V, A or °C, of which the device knows tenths."""
        match self.measures:
            case "decimals":
                return round(value, 1) + 0.0  # never -0.0
            case "integers":
                return round(value)
            case "tenths":
                return round(value * 10)


@dataclass(kw_only=True)
class Hps(Pbd):
    """A hybrid inverter off the grid, of one PV input: what the PBD delivers, its load takes."""

    serial: str = "DEMOHPS001"
    inputs: Literal[1, 2, 3] = 1
    form: Literal["central", "string"] = "central"

    @property
    def path(self) -> str:
        """The two forms have a path each."""
        return "/hps/data-last" if self.form == "central" else "/hps/data-last-small"

    def _fields(self, now: datetime) -> Json:
        """Give the fields of hps/data-last that are known (atess-api 6), and some of those that nobody explains."""
        fields = super()._fields(now)
        own = {name: fields[other] for name, other in HPS_NAMES.items()}
        strange = {"egridToday": 1.5, "etoGridToday": 0.3, "temp1": fields["outTemp"], "atsBypass": 0}
        state = {"status": 5 if fields["status"] else 0, "fac": 50.02, "loadPf": 0.98}
        return {name: value for name, value in fields.items() if not PBD_ONLY.fullmatch(name)} | own | strange | state
