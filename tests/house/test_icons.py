"""Every icon exists, belongs to an entity, and is there where no device class brings one."""

from functools import cache
from pathlib import Path
from typing import Any

import hass_frontend
from homeassistant.components.binary_sensor import BinarySensorEntityDescription
from homeassistant.components.sensor import SensorDeviceClass, SensorEntityDescription
import pytest

from .repository import ROOT, Descriptions, descriptions, read_json, shipped


@cache
def known_icons() -> frozenset[str]:
    """The names of the icons that the frontend brings."""
    parts = Path(hass_frontend.__file__).with_name("static") / "mdi"
    return frozenset(f"mdi:{name}" for part in parts.glob("*.json") for name in read_json(part))


def icon_names(icons: Any) -> list[Any]:
    return [name for value in icons.values() for name in icon_names(value)] if isinstance(icons, dict) else [icons]


def broken_icons(icons: dict[str, Any], described: Descriptions) -> list[str]:
    problems = [f"{name} is no icon" for name in icon_names(icons.get("entity", {})) if name not in known_icons()]
    for platform, entities in icons.get("entity", {}).items():
        for key, entity in entities.items():
            place = f"{platform}.{key}"
            description = described.get(platform, {}).get(key)
            if description is None:
                problems.append(f"{place} is no entity")
                continue
            if entity.keys() - {"default", "state", "range"} or "default" not in entity:
                problems.append(f"{place} is more or less than default, state and range")
            states = ("on", "off") if platform == "binary_sensor" else getattr(description, "options", None) or ()
            for state, icon in entity.get("state", {}).items():
                if state not in states:
                    problems.append(f"{place} has no state {state}")
                if icon == entity.get("default"):
                    problems.append(f"{place} has the default icon for {state} too")
    problems += [
        f"{platform}.{key} has neither icon nor device class"
        for platform, entities in described.items()
        for key, description in entities.items()
        if getattr(description, "device_class", None) is None and key not in icons.get("entity", {}).get(platform, {})
    ]
    return problems


def test_icons() -> None:
    assert broken_icons(read_json(shipped(ROOT) / "icons.json"), descriptions()) == []


SAMPLE: Descriptions = {
    "sensor": {
        "soc": SensorEntityDescription(key="soc", device_class=SensorDeviceClass.BATTERY),
        "mode": SensorEntityDescription(key="mode", device_class=SensorDeviceClass.ENUM, options=["slow", "fast"]),
    },
    "binary_sensor": {"ready": BinarySensorEntityDescription(key="ready")},
}
READY = {"ready": {"default": "mdi:battery-off", "state": {"on": "mdi:battery-check"}}}


@pytest.mark.parametrize(
    ("sensors", "binary_sensors", "count"),
    [
        ({}, READY, 0),
        ({"mode": {"default": "mdi:battery", "state": {"slow": "mdi:battery-clock"}}}, READY, 0),
        ({"soc": {"default": "mdi:battery", "range": {"0": "mdi:battery-outline"}}}, READY, 0),
        ({"soc": {"default": "hass:battery"}}, READY, 1),
        ({"soc": {"default": "mdi:no-such-icon"}}, READY, 1),
        ({"other": {"default": "mdi:battery"}}, READY, 1),
        ({"mode": {"state": {"slow": "mdi:battery"}}}, READY, 1),
        ({"mode": {"default": "mdi:battery", "state": {"slow": "mdi:battery"}}}, READY, 1),
        ({"mode": {"default": "mdi:battery", "state": {"still": "mdi:battery-clock"}}}, READY, 1),
        ({}, {}, 1),
    ],
)
def test_rule_notices(sensors: dict[str, Any], binary_sensors: dict[str, Any], count: int) -> None:
    assert len(broken_icons({"entity": {"sensor": sensors, "binary_sensor": binary_sensors}}, SAMPLE)) == count
