"""Follows the samples of a battery to tell how long it takes to be full, or down to its reserve."""

from homeassistant.const import Platform
from homeassistant.core import callback

from ..telemetry.energy.outlook import Outlook
from ..telemetry.vocabulary import OUTLOOK, Key
from .account import Account
from .coordinator import ReadingsCoordinator


@callback
def look_ahead(account: Account, coordinator: ReadingsCoordinator) -> None:
    """Begin with the sample that is shown, and go on with each new one and each other reserve."""
    outlook = Outlook(account.memory.recall(coordinator.key).get("outlook"))

    @callback
    def follow() -> None:
        if coordinator.data is None or coordinator.sampled_at is None:
            return
        values = coordinator.data.values
        if values.keys() >= {Key.SOC, Key.POWER, Key.ENERGY_RATED}:
            coordinator.quantities |= {(Platform.SENSOR, key) for key in OUTLOOK}
        shown = {key: values[key] for key in OUTLOOK & values.keys()}
        minutes = outlook.add(values, coordinator.sampled_at.timestamp(), account.reserve)
        account.memory.keep(coordinator.key, outlook=outlook.memory)
        if minutes != shown:
            coordinator.add(dict.fromkeys(OUTLOOK) | minutes)

    coordinator.async_add_listener(follow)
    follow()
