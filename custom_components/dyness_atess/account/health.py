"""What the samples of a master and of its modules say of the cells together."""

from collections.abc import Mapping

from homeassistant.core import callback

from ..telemetry.energy.health import KNEE, Health
from ..telemetry.reading import Reading
from ..telemetry.vocabulary import Key
from .account import Account
from .coordinator import ReadingsCoordinator

SAME_SAMPLE = 150.0
"""Seconds by which a module's sample may differ from that of its master, to whose current it belongs."""


class CellWatch:
    """Shows on a master how far the cells are apart, where that says something."""

    def __init__(self, account: Account, master: ReadingsCoordinator, modules: Mapping[str, int]) -> None:
        """Go on with what was measured before; `modules` are their numbers by serial number, as they become known."""
        self._account = account
        self._master = master
        self._modules = modules
        self._health = account.memory.state(master.serial, "health", Health)
        self._figures = self._health.figures
        master.publish(*self._figures)

    @callback
    def follow(self, reading: Reading) -> None:
        """Take a new sample of the master, and have the module read first that is at the top."""
        master, values = self._master, reading.values
        highest, place = values.get(Key.CELL_VOLTAGE_MAX), values.get(Key.CELL_VOLTAGE_MAX_MODULE)
        is_at_the_top = isinstance(highest, float) and highest >= KNEE
        modules = [module for serial in self._modules if (module := self._account.devices.get(serial))]
        for module in modules:
            module.goes_first = is_at_the_top and self._modules[module.serial] == place
        has_measured = self._health.note(master.sample_time, values)
        if not any(module.is_current for module in modules):
            number = place if isinstance(place, int) else 1
            self._health.add(master.sample_time, number, values, values)
        self._account.memory.write_soon()
        if has_measured and (figures := self._health.figures) != self._figures:
            self._figures = figures
            master.publish(*figures)

    @callback
    def follow_module(self, module: ReadingsCoordinator) -> None:
        """Take a module's sample."""
        number, at, master = self._modules.get(module.serial), module.sample_time, self._master
        if number and module.data and master.data and abs(at - master.sample_time) <= SAME_SAMPLE:
            self._health.add(at, number, module.data.values, master.data.values)  # kept with the next of the master
