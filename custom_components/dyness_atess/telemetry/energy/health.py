"""How far the cells of a battery are apart, where that means something (product contract, section 8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import fmean, median
from typing import Any, NamedTuple

from ..reading import Value
from ..state import LARGEST
from ..vocabulary import CELL_VOLTAGES, Key
from .capacity import CAPACITIES
from .meter import within

FIGURES = (Key.CELL_SPREAD_FULL, Key.CELL_LEAD_FULL, Key.CELL_SPREAD_RESTED)
KNEE_FOOT, KNEE_LIFT, SCALE = 3.352, 0.35, 0.098
"""V from which on the voltage of a cell rises steeply, V per C by which a charge lifts it, and V from there to 3.45 V.

Provisional: fitted to twelve charges of one battery at 23 to 25 °C, the lift to a single fast one (15 cells of 280 Ah
of a PowerBrick Pro, elokfu/dyness-bms-behaviour, CC BY 4.0). That the rise is exponential, so that at a given
difference of charge the spread grows with the height above the foot, agrees with a cell of another maker.
"""
KNEE = 3.40
"""V of the highest cell with which a visit to the knee begins."""
LEAST, FIRM, MOST = 3.42, 3.44, 3.60
"""V of the highest cell between which a sample counts; from the middle one on its roundings matter little."""
LEAST_RISE = 0.04
"""V above the foot; below, an error of the foot counts too much."""
RESTING, FASTEST = 0.003, 0.11
"""C; a slower charge is none, and how far a faster one lifts the foot nobody has measured."""
COLDEST, UNEVEN = 10.0, 5.0
"""°C of the coldest sensor, and between sensors, beyond which resistance says more than charge."""
NEARLY_FULL = 95.0
SATURATED = 90.0
"""mV: the lowest cell is below the knee, however far."""
STILL, STILL_CURRENT, EMPTYING = 0.005, 0.3, 3.25
"""C and A, of which the larger counts as no current, and V of the mean cell below which a rest counts."""
NOMINAL_CELL_VOLTAGE = 3.2
CELL = (1.0, 5.0)
"""V that a cell can have."""
GAP, HALF_HOUR, HOUR, DAY, MONTH = 900.0, 1800.0, 3600.0, 86_400.0, 30 * 86_400.0
SAMPLES = 48
"""Of each module in a visit; the oldest go first."""

type Values = Mapping[Key, Value]


class Measurement(NamedTuple):
    """What the cells of one module have shown; mV at 3.45 V, or at rest as they are."""

    at: float
    module: int
    spread: float
    highest_cell: int | None
    lowest_cell: int | None
    voltage: float
    """V of the highest cell, or at rest of the mean."""
    soc: float | None = None
    lead: float | None = None
    lag: float | None = None
    """Of the lowest cell behind the median."""
    current: float | None = None
    """A, positive while discharging."""
    temperature: float | None = None
    at_rest: bool = False
    samples: int = 1

    def value(self, key: Key) -> float:
        """Return what one of the figures is."""
        return self.lead or 0.0 if key is Key.CELL_LEAD_FULL else self.spread

    def attributes(self, key: Key) -> dict[str, Any]:
        """Return the attributes of its entity."""
        at = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds")
        cells = {"module": self.module, "highest_cell": self.highest_cell, "lowest_cell": self.lowest_cell}
        if key is Key.CELL_SPREAD_RESTED:
            return cells | {"mean_voltage": self.voltage, "soc": self.soc, "measured_at": at}
        return cells | {
            "highest_above_median": self.lead if self.lead is None else round(self.lead),
            "lowest_below_median": self.lag if self.lag is None else round(self.lag),
            "voltage": self.voltage,
            "current": self.current,
            "temperature": self.temperature,
            "samples": self.samples,
            "measured_at": at,
            "measured_at_rest": self.at_rest,
            "saturated": self.value(key) >= SATURATED,
        }


@dataclass(slots=True)
class Health:
    """Measures the cells at the top of a charge and at rest near empty. Times are POSIX time stamps."""

    at: float = 0.0
    charged_at: float = 0.0
    still_since: float = 0.0
    """Of the battery: its last sample, when it was last charged, and when its rest began, 0 for none."""
    began: float = 0.0
    high_at: float = 0.0
    """Of the visit to the knee: its begin, 0 for none, and when a highest cell was last above it."""
    visit: dict[int, list[Measurement]] = field(default_factory=dict)
    rest: dict[int, Measurement] = field(default_factory=dict)
    measured: dict[Key, dict[int, Measurement]] = field(default_factory=dict)
    """The last measurement of each module."""

    @property
    def figures(self) -> tuple[dict[Key, Value], dict[Key, dict[str, Any]]]:
        """Return each figure of the module that has the largest, and its attributes."""
        values: dict[Key, Value] = {}
        attributes: dict[Key, dict[str, Any]] = {}
        for key, of in self.measured.items():
            newest = max((found.at for found in of.values()), default=0.0)
            # A module that was taken away does not stay the widest for ever.
            if recent := [found for found in of.values() if newest - found.at < MONTH]:
                widest = max(recent, key=lambda found: found.value(key))
                values[key], attributes[key] = round(widest.value(key)), widest.attributes(key)
        return values, attributes

    def note(self, at: float, values: Values) -> bool:
        """Take the battery's own sample; True where a charge or a rest has ended."""
        rate, is_still = _rate(values)
        goes_on = bool(is_still and self.still_since and 0 <= at - self.at <= GAP)
        has_rested = bool(self.rest) and (not goes_on or at - self.still_since >= HOUR)
        has_charged = False
        if has_rested:
            self.measured[Key.CELL_SPREAD_RESTED] = dict(self.rest)
        if not goes_on:
            self.still_since, self.rest = at if is_still else 0.0, {}
        self.at = at
        if rate is not None and rate > RESTING:
            self.charged_at = at
        if self.began:
            soc = within(values.get(Key.SOC), 0, 100)
            is_empty = soc is not None and soc < NEARLY_FULL
            is_over = is_empty or at - self.high_at > HALF_HOUR or at - self.began > DAY
            if has_charged := is_over or at - self.charged_at > HOUR:
                self._end_charge()
            if is_over:
                self.began, self.visit = 0.0, {}
        return has_rested or has_charged

    def add(self, at: float, module: int, values: Values, battery: Values) -> None:
        """Take a module's sample; `battery` is that of its master at about the same time."""
        electrical = values if Key.CURRENT in values else battery
        rate, is_still = _rate(electrical)
        rests = is_still and self.still_since and at - self.still_since >= HALF_HOUR
        highest, _ = _extremes(values)
        if highest is None or rate is None or not (rests or highest >= KNEE):
            return
        cells = _cells(values)
        if not cells:
            return
        (lowest_cell, lowest), *_, (highest_cell, highest) = sorted(cells, key=lambda cell: cell[1])
        soc = within(values.get(Key.SOC, battery.get(Key.SOC)), 0, 100)
        mean = fmean(voltage for _, voltage in cells)
        found = Measurement(at, module, 1000 * (highest - lowest), highest_cell, lowest_cell, round(mean, 3), soc)
        if rests and mean <= EMPTYING:
            self.rest[module] = found
        if highest < KNEE or (soc is not None and soc < NEARLY_FULL):
            return
        self.began, self.high_at = self.began or at, max(self.high_at, at)
        coldest = within(values.get(Key.CELL_TEMPERATURE_MIN), -LARGEST, LARGEST)
        warmest = within(values.get(Key.CELL_TEMPERATURE_MAX), -LARGEST, LARGEST)
        is_warm = coldest is None or (coldest >= COLDEST and (warmest or coldest) - coldest <= UNEVEN)
        at_rest = abs(rate) <= RESTING
        counts = at - self.charged_at <= HOUR if at_rest else 0 < rate <= FASTEST
        rise = highest - KNEE_FOOT - (0.0 if at_rest else KNEE_LIFT * rate)
        if not (LEAST <= highest <= MOST and rise >= LEAST_RISE and counts and is_warm):
            return
        scale = 1000 * SCALE / rise
        middle = median(voltage for _, voltage in cells) if len(cells) > 2 else None
        found = found._replace(
            spread=_scaled(highest - lowest, scale),
            voltage=highest,
            lead=None if middle is None else _scaled(highest - middle, scale),
            lag=None if middle is None else _scaled(middle - lowest, scale),
            current=within(electrical.get(Key.CURRENT), -LARGEST, LARGEST),
            temperature=coldest,
            at_rest=at_rest,
        )
        of = self.visit.setdefault(module, [])
        if all(at != other.at for other in of):
            self.visit[module] = [*of, found][-SAMPLES:]

    def _end_charge(self) -> None:
        """Show the middle one of each module's measurements."""
        for key in FIGURES[:2]:
            for module, samples in self.visit.items():
                known = [found for found in samples if key is Key.CELL_SPREAD_FULL or found.lead is not None]
                known = [found for found in known if not found.at_rest] or known
                known = [found for found in known if found.voltage >= FIRM] or known
                if known:
                    middle = sorted(known, key=lambda found: found.value(key))[(len(known) - 1) // 2]
                    self.measured.setdefault(key, {})[module] = middle._replace(samples=len(known))


def _scaled(difference: float, scale: float) -> float:
    return round(min(difference * scale, 1000 * SCALE), 2)


def _cells(values: Values) -> list[tuple[int | None, float]]:
    """Return number and V of each cell of a module; of a master only the highest and the lowest, if of one module."""
    highest, lowest = _extremes(values)
    if highest is None or lowest is None:
        return []  # of a module some of whose cells are not known, too
    singles = [(number, within(values.get(key), *CELL)) for number, key in enumerate(CELL_VOLTAGES, 1)]
    known = [(number, voltage) for number, voltage in singles if voltage is not None]
    if len(known) > 2:
        return [*known]
    places = values.get(Key.CELL_VOLTAGE_MAX_MODULE), values.get(Key.CELL_VOLTAGE_MIN_MODULE)
    if values.get(Key.MODULE_COUNT) != 1 and (places[0] is None or places[0] != places[1]):
        return []
    numbers = (values.get(Key.CELL_VOLTAGE_MAX_CELL), values.get(Key.CELL_VOLTAGE_MIN_CELL))
    top, bottom = (number if isinstance(number, int) else None for number in numbers)
    return [(top, highest), (bottom, lowest)]


def _rate(values: Values) -> tuple[float | None, bool]:
    """Return the current in C, positive while charging, and whether it is none."""
    current = within(values.get(Key.CURRENT), -LARGEST, LARGEST)
    capacity = within(values.get(Key.CAPACITY_FULL), 1, LARGEST)
    energy, voltage = within(values.get(Key.ENERGY_RATED), *CAPACITIES), within(values.get(Key.VOLTAGE), 1, LARGEST)
    highest, lowest = _extremes(values)
    if capacity is None and energy and voltage and highest and lowest:
        capacity = 1000 * energy / NOMINAL_CELL_VOLTAGE * (highest + lowest) / 2 / voltage
    if current is None or not capacity:
        return None, False
    return -current / capacity, abs(current) <= max(STILL_CURRENT, STILL * capacity)


def _extremes(values: Values) -> tuple[float | None, float | None]:
    return within(values.get(Key.CELL_VOLTAGE_MAX), *CELL), within(values.get(Key.CELL_VOLTAGE_MIN), *CELL)
