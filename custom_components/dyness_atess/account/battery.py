"""One battery: its master, the modules behind it, and what other endpoints know of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
import re
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..cloud.dyness import DynessClient
from ..cloud.queue import Priority, Turn
from ..const import CONF_CAPACITY
from ..telemetry.dyness.decoder import READ_BY_NAME, decode, decode_dongle, decode_running, family_by_name
from ..telemetry.dyness.direction import DirectionWitness
from ..telemetry.dyness.family import Family
from ..telemetry.dyness.history import day_begins, latest_soc, samples
from ..telemetry.energy.capacity import CAPACITIES, add_capacity, combine_modules
from ..telemetry.raw import number
from ..telemetry.reading import Reading
from ..telemetry.vocabulary import Key
from .account import Account
from .connection import digest
from .coordinator import ReadingsCoordinator
from .health import CellWatch
from .read import SecondaryEndpoint
from .registry import entity_of
from .repairs import report
from .schedule import WITHOUT_MASTER, Pace, Rhythm
from .statistics import Completion

MAXIMUM_AGE = timedelta(minutes=15)
"""Of a state of charge from the history."""
MAXIMUM_MODULES = 128
"""More than any stack has; what lists more is no list of modules."""
REPLACED = timedelta(days=1)
"""A module without a sample for so long is not counted any more."""
STATION_PAUSE, DONGLE_PAUSE = 1800.0, 3600.0
RUNNING = "running data"

_MASTER = re.compile(r"-B(MS|DU)$", re.IGNORECASE)
"""How the cloud marks the serial number of a master, which some lists name among its own modules."""


class Battery:
    """Reads a master and, behind each new sample of it, what belongs to it."""

    def __init__(self, account: Account, client: DynessClient, serial: str) -> None:
        self.serial = serial
        self._account = account
        self._client = client
        remembered = account.memory.recall(serial)
        self.modules: dict[str, int] = dict(remembered.get("modules", {}))
        """Numbers of the modules by serial number; a number stays with its serial number."""
        self._pace = Pace()
        self._direction = DirectionWitness(remembered.get("direction"))
        self._soc: tuple[datetime, float] | None = None
        """From the day's history, for where no point has it."""
        self._lacks_soc = False
        self._name = account.known[serial].model or "device"
        self._station = self._endpoint("plant", partial(client.station_info, serial), STATION_PAUSE)
        self._dongle = self._endpoint("dongle", self._fetch_dongle, DONGLE_PAUSE)
        self.alarms = self._endpoint("alarms", partial(client.alarms, serial))
        self._history = self._endpoint("history", partial(client.last_power_data, serial))
        if (family := family_by_name(remembered.get("family"))) and family.running:
            self._add_running(family)
        self.coordinator = account.read(self._fetch, self._decode, serial, self._name, rhythm=Rhythm(), is_metered=True)
        self._statistics = Completion(account, self.coordinator)
        self._cells = CellWatch(account, self.coordinator, self.modules)
        self._followed = self.coordinator.received_at
        self.coordinator.async_add_listener(self._follow)
        for module in self.modules:
            self._add_module(module)

    def _endpoint[Data](
        self, what: str, call: Callable[[Turn], Awaitable[Data]], pause: float = 0.0
    ) -> SecondaryEndpoint[Data]:
        name, device = f"{what} of {self._name}", digest(self.serial)
        return SecondaryEndpoint(self._account.credentials, call, name=name, device=device, pause=pause)

    @property
    def module_readings(self) -> list[ReadingsCoordinator]:
        """What is read of the modules."""
        return [self._account.devices[serial] for serial in self.modules if serial in self._account.devices]

    async def _fetch(self, turn: Turn) -> Any:
        return await self._client.realtime_data(self.serial, self._account.known[self.serial].collector_serial, turn)

    def _decode(self, raw: Any, received_at: datetime) -> Reading:
        """Return what the points of the master mean, together with what is known from elsewhere."""
        memory = self._account.memory
        known_family = memory.recall(self.serial).get("family")
        reading = decode(raw, known_family, self._direction.sign)
        if reading.family == READ_BY_NAME:
            self._learn_direction(decode(raw, known_family, 1), received_at)
        self._report_model(reading)
        if reading.empty:
            return reading
        if reading.family and reading.family != READ_BY_NAME:
            memory.keep(self.serial, family=reading.family)
        self._lacks_soc = Key.SOC not in reading.values
        if self._soc and received_at - self._soc[0] <= MAXIMUM_AGE:
            reading.values.setdefault(Key.SOC, self._soc[1])
        self._add_capacity(reading)
        return reading

    def _learn_direction(self, reading: Reading, received_at: datetime) -> None:
        current, soc = reading.values.get(Key.CURRENT), reading.values.get(Key.SOC)
        if isinstance(current, float | int) and isinstance(soc, float | int):
            self._direction.add(current, soc, reading.sampled_at or received_at)
            self._account.memory.keep(self.serial, direction=self._direction.memory)

    async def _fetch_dongle(self, turn: Turn) -> Any:
        serial = self._account.known[self.serial].collector_serial
        return await self._client.realtime_data(serial, turn=turn) if serial else None

    def _add_capacity(self, reading: Reading) -> None:
        """Add what is rated and what is left, in kWh."""
        family = family_by_name(reading.family)
        # Of one that was never asked nothing is known yet; one that does not answer, or no more, does not count.
        expected = [
            module for module in self.module_readings if not module.is_failing or not module.is_older_than(REPLACED)
        ]
        is_of_one = bool(family and family.is_module and len(self.modules) > 1)
        if is_of_one:
            combine_modules(reading.values, reading.flags, [module.data for module in expected if module.data])
        rated = [module.data.values.get(Key.ENERGY_RATED) if module.data else None for module in expected]
        add_capacity(
            reading.values,
            chosen=self._account.entry.options.get(CONF_CAPACITY, {}).get(self.serial),
            modules=[capacity if isinstance(capacity, float | int) else None for capacity in rated],
            station=self._account.memory.recall(self.serial).get("capacity"),
            station_is_total=bool(family and family.station_is_total),
            points_are_of_one_module=is_of_one,
        )

    @callback
    def _follow(self) -> None:
        """Ask what belongs to a new sample."""
        coordinator, reading = self.coordinator, self.coordinator.data
        if reading is None or coordinator.received_at == self._followed:
            return
        self._followed = coordinator.received_at
        self._cells.follow(reading)
        if self._account.known[self.serial].work_status:
            coordinator.quantities.add((Platform.SENSOR, Key.WORK_STATUS))
        family = family_by_name(reading.family)
        if running := self._account.secondary.get(self.serial + RUNNING):
            if not running.is_failing:
                running.async_ask()
        elif family and family.running:
            self._add_running(family)
        self._find_modules(reading)
        self._ask_modules()
        wants_history = self._statistics.note() or bool(coordinator.energies.gap) or self._lacks_soc
        if wants_history or Key.ENERGY_RATED not in reading.values or self._dongle.is_due:
            coordinator.run(self._complete(reading, family, wants_history=wants_history), "what a sample lacks")

    def _add_running(self, family: Family) -> None:
        keys = {(Platform.SENSOR, key) for rule in family.running for key in rule.keys if key}
        self._account.read(
            partial(self._client.last_running_data, self.serial),
            lambda raw, _: Reading(family=family.name, values=decode_running(family.name, raw)),
            self.serial,
            f"{RUNNING} of {self._name}",
            of=keys,
            endpoint=RUNNING,
        )

    def _find_modules(self, reading: Reading) -> None:
        """Add the modules that are new; a list that leaves one out takes none away."""
        for serial in reading.modules:
            is_new = serial != self.serial and not _MASTER.search(serial) and serial not in self.modules
            if is_new and len(self.modules) < MAXIMUM_MODULES and serial not in self._account.devices:
                self.modules[serial] = max(self.modules.values(), default=0) + 1
                self._account.memory.keep(self.serial, modules=dict(self.modules))
                self._add_module(serial)

    def _add_module(self, serial: str) -> None:
        module = self._account.read(
            lambda turn: self._client.realtime_data(serial, turn=turn),
            partial(self._decode_module, serial),
            serial,
            f"module {self.modules[serial]} of {self._name}",
            priority=Priority.MODULE,
            interval=WITHOUT_MASTER,
        )
        module.retries.waits_for = lambda: self.coordinator.is_failing
        module.async_add_listener(partial(self._follow_module, module))

    def _decode_module(self, serial: str, raw: Any, _received_at: datetime) -> Reading:
        reading = decode(raw, self._account.memory.recall(serial).get("family"))
        if reading.family and not reading.empty:
            self._account.memory.keep(serial, family=reading.family)
        return reading

    @callback
    def _follow_module(self, module: ReadingsCoordinator) -> None:
        """Show what takes the modules to know as soon as they are read, not with the next sample."""
        self._cells.follow_module(module)
        reading = self.coordinator.data
        family = family_by_name(reading.family) if reading else None
        if reading and (Key.ENERGY_RATED not in reading.values or (family and family.is_module)):
            self.coordinator.decode_again()

    def _ask_modules(self) -> None:
        """Ask modules that do not have the master's new sample, the oldest first, as many as the calls allow."""
        answering = [found for found in self.module_readings if not found.is_failing and not found.is_disabled]
        due = [
            module
            for module in answering
            if not module.is_waiting and module.sample_time < self.coordinator.sample_time
        ]
        calls_per_hour = self._account.calls_per_module * len(answering)
        count = self._pace.take(len(due), calls_per_hour, dt_util.utcnow().timestamp())
        for module in sorted(due, key=lambda module: module.turn)[:count]:
            module.async_ask()

    async def _complete(self, reading: Reading, family: Family | None, *, wants_history: bool) -> None:
        """Ask other endpoints for what this sample lacks."""
        memory = self._account.memory
        if wants_history and reading.family and self._history.is_due:
            await self._read_history(reading, family)
        is_of_use = Key.MODULE_COUNT in reading.values or (family and family.station_is_total)
        if is_of_use and Key.ENERGY_RATED not in reading.values and "capacity" not in memory.recall(self.serial):
            station = await self._station.async_get() or {}
            capacity = number(str(station.get("batteryCapacity")))
            if capacity and CAPACITIES[0] < capacity < CAPACITIES[1]:
                memory.keep(self.serial, capacity=capacity)
                self.coordinator.decode_again()
        signal = entity_of(self._account.hass, Platform.SENSOR, self.serial, Key.SIGNAL_STRENGTH)
        if not (signal and signal.disabled) and (radio := decode_dongle(await self._dongle.async_get())):
            self.coordinator.publish(radio)

    async def _read_history(self, reading: Reading, family: Family | None) -> None:
        """Ask for the day so far: the state of charge, what a gap has charged and discharged, and its hours."""
        coordinator, gap = self.coordinator, self.coordinator.energies.gap
        records = await self._history.async_get() or []
        if self._lacks_soc and (soc := latest_soc(records, now := dt_util.utcnow())) is not None:
            self._soc = now, soc
            coordinator.decode_again()
        if family is None:
            return  # which sign its currents have is not known
        voltage = number(str(reading.values.get(Key.VOLTAGE)))
        flows = samples(records, current_sign=family.current_sign, voltage=voltage)
        if gap:
            coordinator.fill_gap([(taken_at, power) for taken_at, power, _ in flows if gap[0] < taken_at < gap[1]])
        if not self._history.is_failing:
            self._statistics.learn(day_begins(records), flows)

    def _report_model(self, reading: Reading) -> None:
        """Raise a repair for a model that is not known well, whose diagnostics would help."""
        account, device = self._account, self._account.known[self.serial]
        placeholders = {"model": device.model or device.name or "?"}
        if not reading.understood:
            account.register(self.serial)  # so that there is something to download its diagnostics from
        for key, is_so in (
            ("read_by_name", reading.family == READ_BY_NAME),
            ("read_by_position", reading.by_position),
            ("not_understood", not reading.understood),
        ):
            report(account.hass, account.entry, is_so, key, serial=self.serial, placeholders=placeholders)

    @property
    def raw_secondary(self) -> dict[str, Any]:
        """The last answers of other endpoints, for diagnostics."""
        running = self._account.secondary.get(self.serial + RUNNING)
        answers = {
            "running": running.raw if running else None,
            "history": self._history.data,
            "station": self._station.data,
            "statistics": self._statistics.findings,
        }
        return {name: data for name, data in answers.items() if data}

    @callback
    def forget(self, module: str) -> None:
        """Let a module go that its owner removed."""
        del self.modules[module]
        self._account.memory.keep(self.serial, modules=dict(self.modules))
