"""The dashboard of the demo, and what its energy dashboard counts."""

from collections.abc import Mapping
from typing import Any

type Card = dict[str, Any]
type Entities = Mapping[str, str]
"""Of a device, by vocabulary key."""

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


def dashboard(powerhaus: Entities, module: Entities, pbd: Entities) -> dict[str, Any]:
    """Arrange the entities of the demo."""
    powers = [*_rows(pbd, "pv_power output_power"), *_rows(pbd, "power", "Battery power")]
    cells = [{"entity": module[key], "name": f"Cell {int(key[5:7])}"} for key in sorted(module) if key[5:7].isdigit()]
    device = {"type": "device"}
    levels = [*_rows(powerhaus, "soc", device), *_rows(pbd, "soc", device)]
    of_cells = "cell_voltage_max cell_voltage_min cell_voltage_spread cell_temperature_max"
    sections = [
        _section(
            "Dyness PowerHaus",
            _gauge(powerhaus),
            *_tiles(_rows(powerhaus, "power status voltage current energy_remaining soh")),
            *_tiles(_rows(powerhaus, "charge_current_limit discharge_current_limit")),
        ),
        _section(
            "Cells and alarms",
            *_tiles(_rows(powerhaus, of_cells)),
            {"type": "glance", "columns": 4, "show_icon": False, "entities": cells},
            *_tiles(_rows(powerhaus, "alarm warning online charge_enabled")),
        ),
        _section(
            "ATESS PBD",
            _gauge(pbd),
            *_tiles(powers),
            *_tiles(_rows(pbd, "status pv_energy_today output_energy_today")),
            *_tiles(_rows(pbd, "energy_charged_today energy_discharged_today")),
        ),
        _section(
            "History",
            *(
                {"type": "history-graph", "title": title, "hours_to_show": 0.5, "entities": rows}
                for title, rows in (
                    ("State of charge", levels),
                    ("PowerHaus power", _rows(powerhaus, "power")),
                    ("PBD power", powers),
                )
            ),
        )
        | {"column_span": 3},
    ]
    return {"views": [{"title": "Batteries", "type": "sections", "max_columns": 3, "sections": sections}]}


def energy_sources(pbd: Entities) -> list[dict[str, Any]]:
    """Give what the energy dashboard counts: the sun and the battery of the PBD, whose own counters live fast too.

    Those that the integration computes for the PowerHaus go by the clock and would show a small part of what it does.
    """
    return [
        {
            "type": "solar",
            "stat_energy_from": pbd["pv_energy"],
            "stat_rate": pbd["pv_power"],
            "config_entry_solar_forecast": None,
        },
        {
            "type": "battery",
            "stat_energy_from": pbd["energy_discharged"],
            "stat_energy_to": pbd["energy_charged"],
            "stat_rate": pbd["power"],
            "stat_soc": pbd["soc"],
        },
    ]


def _rows(entities: Entities, keys: str, name: str | Card | None = None) -> list[Card]:
    """Leave out what a device does not have; by default the name is without that of the device."""
    known = [key for key in keys.split() if key in entities]
    return [{"entity": entities[key], "name": name or SHORT.get(key) or {"type": "entity"}} for key in known]


def _tiles(rows: list[Card]) -> list[Card]:
    return [{"type": "tile"} | row for row in rows]


def _gauge(entities: Entities) -> Card:
    (row,) = _rows(entities, "soc")
    return row | {"type": "gauge", "needle": True, "severity": {"green": 40, "yellow": 20, "red": 0}}


def _section(title: str, *cards: Card) -> Card:
    return {"type": "grid", "cards": [{"type": "heading", "heading": title}, *cards]}
