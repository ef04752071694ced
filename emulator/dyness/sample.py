"""What the management system of one module measures at a moment."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .battery import BatteryState
from .cells import Leads, ambient, cell_temperatures, cell_voltages
from .models import Model
from .points import Truth

type Pick = Callable[[Iterable[float]], float]
PICKS: tuple[Pick, Pick] = (max, min)
EXTREMES = ("cell_voltage_max", "cell_voltage_min", "cell_temperature_max", "cell_temperature_min")


@dataclass(frozen=True, kw_only=True)
class ModuleSample:
    """In V, A, Ah and °C, at the resolution of the points. Charging is positive."""

    cells: list[float]
    temperatures: list[float]
    bms_temperature: float
    mosfet_temperature: float
    current: float
    remaining: float
    capacity: float

    @property
    def voltage(self) -> float:
        """All cells are in series."""
        return round(sum(self.cells), 3)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The highest or lowest value of all modules and where it is; of equal ones the first."""

    value: float
    module: int
    position: int


def measure(
    state: BatteryState,
    model: Model,
    capacity: float,
    seed: int,
    *,
    warmer_by: float = 0.0,
    odd: Leads | None = None,
    lead: float = 0.0,
) -> ModuleSample:
    """Measure one module of a battery. `warmer_by` °C is how its room differs from the usual cellar."""
    room = ambient(state) + warmer_by
    return ModuleSample(
        cells=cell_voltages(state, model.cells, seed, odd, lead),
        temperatures=[round(value + warmer_by, 1) + 0.0 for value in cell_temperatures(state, model.sensors, seed)],
        bms_temperature=round(room - 4, 1) + 0.0,
        mosfet_temperature=round(room + 2 + 14 * abs(state.rate), 1) + 0.0,
        current=round(state.rate * capacity, 1) + 0.0,
        remaining=round(capacity * state.soc / 100, 3),
        capacity=capacity,
    )


def locate(pick: Pick, modules: Sequence[Sequence[float]]) -> Place:
    """Find what `pick` (max or min) picks of the values of all modules."""
    value = pick(value for values in modules for value in values)
    module = next(number for number, values in enumerate(modules) if value in values)
    return Place(value=value, module=module + 1, position=modules[module].index(value) + 1)


def extreme_places(modules: Sequence[ModuleSample]) -> list[tuple[str, Place]]:
    """Give the highest and the lowest cell voltage, then temperature, as texts and where they are."""
    cells, temperatures = [module.cells for module in modules], [module.temperatures for module in modules]
    voltages, warmths = ([locate(pick, values) for pick in PICKS] for values in (cells, temperatures))
    return [(f"{place.value:.3f}", place) for place in voltages] + [(f"{place.value:.1f}", place) for place in warmths]


def extremes(modules: Sequence[ModuleSample]) -> Truth:
    """Give the same by our keys, and the spread."""
    truth: Truth = {}
    for key, (_, place) in zip(EXTREMES, extreme_places(modules), strict=True):
        position = "cell" if "voltage" in key else "sensor"
        truth |= {key: place.value, f"{key}_module": place.module, f"{key}_{position}": place.position}
    cells = [cell for module in modules for cell in module.cells]
    return truth | {"cell_voltage_spread": round((max(cells) - min(cells)) * 1000)}


def single_cells(module: ModuleSample) -> Truth:
    """Give every cell and sensor of one module, and the extremes of them."""
    cells: Truth = {f"cell_{number:02d}_voltage": voltage for number, voltage in enumerate(module.cells, 1)}
    sensors = {f"cell_temperature_{number}": value for number, value in enumerate(module.temperatures, 1)}
    return cells | sensors | {key: value for key, value in extremes([module]).items() if not key.endswith("_module")}
