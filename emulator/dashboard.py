"""The dashboard of the demo, and what its energy dashboard counts."""

from collections.abc import Mapping
from typing import Any

type Card = dict[str, Any]
type Entities = Mapping[str, str]
"""Of a device, by vocabulary key."""

NAME = {"type": "entity"}
"""Without the name of the device, which is the same in a whole section."""
DEVICE = {"type": "device"}
SHORT = {
    "cell_voltage_max": "Highest cell",
    "cell_voltage_min": "Lowest cell",
    "cell_voltage_spread": "Spread",
    "cell_temperature_max": "Warmest cell",
    "charge_current_limit": "Charge limit",
    "discharge_current_limit": "Discharge limit",
    "pv_energy_today": "PV today",
    "output_energy_today": "Output today",
    "energy_charged_today": "Charged today",
    "energy_discharged_today": "Discharged today",
}
"""Names where the entity's own does not fit on a tile."""
CELLS = 16


def dashboard(powerhaus: Entities, module: Entities, pbd: Entities) -> dict[str, Any]:
    """Arrange the entities of the demo."""
    battery = [
        _gauge(powerhaus),
        *_tiles(powerhaus, "power", "status", "voltage", "current", "energy_remaining", "soh"),
        *_tiles(powerhaus, "charge_current_limit", "discharge_current_limit"),
    ]
    voltages = [
        {"entity": module[key], "name": f"Cell {number}"}
        for number in range(1, CELLS + 1)
        if (key := f"cell_{number:02}_voltage") in module
    ]
    cells = [
        *_tiles(powerhaus, "cell_voltage_max", "cell_voltage_min", "cell_voltage_spread", "cell_temperature_max"),
        {"type": "glance", "columns": 4, "show_icon": False, "entities": voltages},
        *_tiles(powerhaus, "alarm", "warning", "online", "charge_enabled", color="green"),
    ]
    powers = [*_rows(pbd, "pv_power", "output_power"), *_rows(pbd, "power", name="Battery power")]
    charger = [
        _gauge(pbd),
        *map(_tile, powers),
        *_tiles(pbd, "status", "pv_energy_today", "output_energy_today", "energy_charged_today"),
        *_tiles(pbd, "energy_discharged_today"),
    ]
    both = [*_rows(powerhaus, "soc", name=DEVICE), *_rows(pbd, "soc", name=DEVICE)]
    course = [
        _history("State of charge", both, min_y_axis=0, max_y_axis=100),
        _history("PowerHaus power", _rows(powerhaus, "power")),
        _history("PBD power", powers),
    ]
    sections = [
        _section("Dyness PowerHaus", "mdi:home-battery", battery),
        _section("Cells and alarms", "mdi:car-battery", cells),
        _section("ATESS PBD", "mdi:solar-power-variant", charger),
        _section("History", "mdi:chart-line", course, columns=3),
    ]
    return {"views": [{"title": "Batteries", "type": "sections", "max_columns": 3, "sections": sections}]}


def energy_sources(pbd: Entities) -> list[dict[str, Any]]:
    """Give what the energy dashboard counts: the sun and the battery of the PBD, whose own counters live fast too.

    Those that the integration computes for the PowerHaus go by the clock and would show a small part of what it does.
    """
    solar = {"type": "solar", "stat_energy_from": pbd["pv_energy"], "config_entry_solar_forecast": None}
    battery = {
        "type": "battery",
        "stat_energy_from": pbd["energy_discharged"],
        "stat_energy_to": pbd["energy_charged"],
        "stat_soc": pbd["soc"],
    }
    return [solar | _rate(pbd, "pv_power"), battery | _rate(pbd, "power")]


def _rate(entities: Entities, key: str) -> dict[str, str]:
    return {"stat_rate": entities[key]} if key in entities else {}


def _rows(entities: Entities, *keys: str, name: str | Card = NAME) -> list[Card]:
    """Leave out what a device does not have, as powers that a PBD has not shown yet."""
    return [{"entity": entities[key], "name": SHORT.get(key, name)} for key in keys if key in entities]


def _tiles(entities: Entities, *keys: str, **options: Any) -> list[Card]:
    return [_tile(row, **options) for row in _rows(entities, *keys)]


def _tile(row: Card, **options: Any) -> Card:
    return {"type": "tile", **row, **options}


def _gauge(entities: Entities) -> Card:
    severity = {"green": 40, "yellow": 20, "red": 0}
    return {"type": "gauge", "entity": entities["soc"], "name": NAME, "needle": True, "severity": severity}


def _history(title: str, rows: list[Card], **options: Any) -> Card:
    return {"type": "history-graph", "title": title, "hours_to_show": 0.5, "entities": rows, **options}


def _section(title: str, icon: str, cards: list[Card], columns: int = 1) -> Card:
    heading = {"type": "heading", "heading": title, "icon": icon}
    return {"type": "grid", "column_span": columns, "cards": [heading, *cards]}
