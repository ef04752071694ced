"""The battery of the seed, through the whole path."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry


async def test_smoke(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    for state in sorted(hass.states.async_all(), key=lambda s: s.entity_id):
        print(state.entity_id, state.state, state.attributes.get("unit_of_measurement"))
