"""The dashboard of the demo."""

from collections.abc import Mapping
from typing import Any

type Card = dict[str, Any]

NAME = {"type": "entity"}
"""Without the name of the device, which is the same everywhere."""
ALARMS = (
    "cell_voltage_high",
    "cell_voltage_low",
    "cell_voltage_imbalance",
    "cell_temperature_high",
    "cell_temperature_low",
    "internal_communication_error",
)


def dashboard(entities: Mapping[str, str]) -> dict[str, Any]:
    """Arrange the entities of a battery, given by vocabulary key."""

    def rows(*keys: str) -> list[Card]:
        return [{"entity": entities[key], "name": NAME} for key in keys]

    def tiles(*keys: str, **options: Any) -> list[Card]:
        return [{"type": "tile", **row, **options} for row in rows(*keys)]

    def history(title: str, *keys: str, **options: Any) -> Card:
        return {"type": "history-graph", "title": title, "hours_to_show": 0.5, "entities": rows(*keys), **options}

    gauge = {
        "type": "gauge",
        "entity": entities["soc"],
        "name": NAME,
        "needle": True,
        "severity": {"green": 40, "yellow": 20, "red": 0},
    }
    battery = [
        gauge,
        *tiles("power", "status", "voltage", "current", "charge_current_limit", "discharge_current_limit"),
        *tiles("soh", "last_report"),
    ]
    cells = [
        *tiles("cell_voltage_max", "cell_voltage_min", "cell_voltage_spread", "cell_temperature_max"),
        history("Cell voltages", "cell_voltage_max", "cell_voltage_min"),
    ]
    alarms = [
        *tiles("alarm", "warning", "online", "charge_enabled", color="green"),
        {"type": "entities", "entities": rows(*ALARMS)},
    ]
    half = {"grid_options": {"columns": 18}}
    course = [
        history("State of charge", "soc", min_y_axis=0, max_y_axis=100, **half),
        history("Power (positive while discharging)", "power", **half),
    ]

    def section(title: str, icon: str, cards: list[Card], columns: int = 1) -> Card:
        heading = {"type": "heading", "heading": title, "icon": icon}
        return {"type": "grid", "column_span": columns, "cards": [heading, *cards]}

    sections = [
        section("Battery", "mdi:home-battery", battery),
        section("Cells", "mdi:car-battery", cells),
        section("Alarms", "mdi:alert-outline", alarms),
        section("History", "mdi:chart-line", course, columns=3),
    ]
    return {"views": [{"title": "PowerHaus", "type": "sections", "max_columns": 3, "sections": sections}]}
