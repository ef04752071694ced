"""Every device that can be emulated, by a name: for tests and for `python -m emulator --device`."""

from collections.abc import Callable
from typing import Any
from zlib import crc32

from . import models
from .cygni import Cygni
from .devices import collector
from .future import EmptyRow, NamedHighVoltage, NamedLowVoltage, NamelessModel
from .high_voltage import HighVoltage
from .junior_box import JuniorBox
from .low_voltage import LowVoltage
from .models import Model
from .powerhaus import PowerHaus
from .storage import Storage

type Factory = Callable[..., list[Storage]]
"""Takes the beginning of a serial, and fields of the device."""

TOWER, TOWER_PRO, STACK = 37.0, 40.0, 100.0
"""Ah of a box: the first is that of a T14 (dyness-api 3.3), the last gives 5.12 kWh; the other one is assumed."""
SEEDS = 4
"""Houses that differ: enough for no two neighbours to show the same, few enough to be simulated quickly."""


def build(name: str, **options: Any) -> list[Storage]:
    """Make the devices of an entry. `options` are fields of the first that are to differ."""
    stem = f"DEMO{name.upper().replace('-', '')}"
    return CATALOGUE[name](stem, **({"seed": crc32(name.encode()) % SEEDS} | options))


def _one(kind: Callable[..., Storage], model: Model, **fields: Any) -> Factory:
    """Make one device."""

    def make(stem: str, **options: Any) -> list[Storage]:
        return [kind(**({"serial": f"{stem}{model.suffix}", "model": model} | fields | options))]

    return make


def _with_empty_row(main: Factory, model: Model, ending: str) -> Factory:
    """Make a device, and a second row without points whose serial has another ending."""

    def make(stem: str, **options: Any) -> list[Storage]:
        (device,) = main(stem, **options)
        return [device, EmptyRow(serial=f"{collector(device.serial)}{ending}", model=model)]

    return make


def _pair(main: Factory) -> Factory:
    """Make two towers behind a combiner box; `options` are for both."""

    def make(stem: str, **options: Any) -> list[Storage]:
        first = main(f"{stem}1", **options)
        return first + main(f"{stem}2", twin=first[0], **options)

    return make


def _low(model: Model, modules: int, capacity: float = 100.0, **fields: Any) -> Factory:
    return _one(LowVoltage, model, capacities=(capacity,) * modules, **fields)


def _dl5(modules: int, model: Model = models.DL5, **fields: Any) -> Factory:
    """Make some DL5.0C; station/info knows of one module only (dyness-api 8)."""
    return _low(model, modules, **({"station_capacity": 5.12} | fields))


def _tower(model: Model, modules: int, capacity: float = TOWER, **fields: Any) -> Factory:
    return _one(HighVoltage, model, capacities=(capacity,) * modules, **fields)


def _closed_tower(model: Model, modules: int, **fields: Any) -> Factory:
    """Make a tower that exposes no modules (#31 #32)."""
    return _tower(model, modules, unreachable=modules, sub=("null",), work_status="Standby", **fields)


def _stack(model: Model, modules: int, **fields: Any) -> Factory:
    return _tower(model, modules, STACK, balancing=True, counts_sensors=False, **fields)


_POWERBOX_G2 = _low(models.POWERBOX_G2, 1, 400.0, has_cycles=True)
_POWERBRICK = {"has_cycles": True, "warns_when_full": True}
_WITHOUT_SOC = {"variant": "B", "has_soc": False, "station_capacity": 16.076}

CATALOGUE: dict[str, Factory] = {
    # Low voltage.
    "powerhaus": lambda _stem, **options: [PowerHaus(**options)],
    **{f"dl5-{modules}": _dl5(modules) for modules in (1, 2, 3, 6)},
    "dl5-4": _dl5(4, models.DL5_NUMBERED),
    "dl5-3-flapping": _dl5(3, sub=("all", "partial", "partial", "reversed", "null", "with_master", "single", "absent")),
    # 35.84 kWh are those of six modules and the coordinator (#41).
    "dl5-6-coordinator": _with_empty_row(_dl5(6, station_capacity=35.84), models.DL5, "C-BMS"),
    "powerbox-pro": _low(models.POWERBOX_PRO, 1, 200.0),
    # Two packs of 10.24 kWh, one of them with two management systems (#16).
    "powerbox-pro-2-packs": _one(
        LowVoltage, models.POWERBOX_PRO, capacities=(100.0, 100.0, 200.0), station_capacity=10.24
    ),
    "powerdepot-g2": _low(models.POWERDEPOT_G2, 3, station_capacity=5.12, has_cycles=True, work_status="Standby"),
    "powerdepot-h5b": _low(models.POWERDEPOT_H5B, 3, unreachable=1),
    "powerbox-g2-a": _POWERBOX_G2,
    "powerbox-g2-b": _low(models.POWERBOX_G2, 1, 400.0, variant="B"),
    "powerbox-g2-listed-twice": _with_empty_row(_POWERBOX_G2, models.POWERBOX_G2, ""),
    "powerbrick-a": _low(models.POWERBRICK, 2, 280.0, **_POWERBRICK),
    "powerbrick-a-1": _low(models.POWERBRICK, 1, 280.0, **_POWERBRICK),
    "powerbrick-b": _low(models.POWERBRICK, 1, 280.0, variant="B", **_POWERBRICK),
    "powerbrick-sc": _low(models.POWERBRICK_SC, 1, 314.0, **_WITHOUT_SOC),
    "powerbrick-plus": _low(models.POWERBRICK_PLUS, 1, 314.0, **_WITHOUT_SOC),
    "junior-box": _one(JuniorBox, models.JUNIOR_BOX),
    # High voltage.
    "tower-t14": _tower(models.TOWER_T14, 4, module_names_itself=False),
    "tower-t17": _closed_tower(models.TOWER_T17, 5),
    "tower-t21": _closed_tower(models.TOWER_T21, 6, index_stuck=True),
    "tower-13": _tower(models.TALLEST_TOWER, 13),
    "tower-pair": _pair(_closed_tower(models.TOWER_T21, 6, index_stuck=True, parallel=2)),
    "tower-pro-tp7": _tower(models.TOWER_PRO_TP7, 2, TOWER_PRO, alarms="registers"),
    "stack100-7s": _stack(models.STACK100_7S, 7),
    # Its station still has the 7 modules of before (dyness-api 8).
    "stack100-expanded": _stack(models.STACK100_7S, 13, station_capacity=35.84),
    # Inverter.
    "cygni": _one(Cygni, models.CYGNI),
    # From the future.
    "future-low-voltage": _one(NamedLowVoltage, models.NEXT),
    "future-high-voltage": _one(NamedHighVoltage, models.NEXT),
    "future-nameless": _one(NamelessModel, models.ENIGMA),
}
