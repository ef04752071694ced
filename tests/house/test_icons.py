"""Every icon exists, belongs to an entity, and is there where no device class brings one."""

from pathlib import Path
from typing import Any

import hass_frontend
from homeassistant.components.binary_sensor import BinarySensorEntityDescription
from homeassistant.components.sensor import SensorDeviceClass, SensorEntityDescription
import pytest

from .repository import ROOT, Descriptions, descriptions, read_json, shipped

KNOWN = frozenset(
    f"mdi:{name}"
    for part in (Path(hass_frontend.__file__).with_name("static") / "mdi").glob("*.json")
    for name in read_json(part)
)


def broken_icons(icons: dict[str, Any], described: Descriptions) -> list[str]:
    problems = []
    for platform, entities in icons["entity"].items():
        for key, entity in entities.items():
            place = f"{platform}.{key}"
            description = described.get(platform, {}).get(key)
            if description is None:
                problems.append(f"{place} is no entity")
            states = ("on", "off") if platform == "binary_sensor" else getattr(description, "options", None) or ()
            problems += [f"{place} has no state {state}" for state in entity.get("state", {}) if state not in states]
            used = [entity.get("default"), *entity.get("state", {}).values(), *entity.get("range", {}).values()]
            problems += [f"{place}: {name} is no icon" for name in used if name not in KNOWN]
    return problems + [
        f"{platform}.{key} has neither icon nor device class"
        for platform, entities in described.items()
        for key, description in entities.items()
        if getattr(description, "device_class", None) is None and key not in icons["entity"].get(platform, {})
    ]


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
        ({"mode": {"default": "mdi:battery", "state": {"slow": "mdi:battery-clock"}}}, READY, 0),
        ({"soc": {"default": "mdi:battery", "range": {"0": "mdi:battery-outline"}}}, READY, 0),
        ({"soc": {"default": "mdi:no-such-icon"}}, READY, 1),
        ({"other": {"default": "mdi:battery"}}, READY, 1),
        ({"mode": {"default": "mdi:battery", "state": {"still": "mdi:battery-clock"}}}, READY, 1),
        ({}, {}, 1),
    ],
)
def test_rule_notices(sensors: dict[str, Any], binary_sensors: dict[str, Any], count: int) -> None:
    assert len(broken_icons({"entity": {"sensor": sensors, "binary_sensor": binary_sensors}}, SAMPLE)) == count
