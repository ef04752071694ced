"""The dashboard of the demo, as any user has it, and what its energy dashboard counts."""

from collections.abc import Mapping
from typing import Any

type Entities = Mapping[str, str]
"""Of a device, by vocabulary key."""

DASHBOARD = {"strategy": {"type": "custom:dyness-atess"}}


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
