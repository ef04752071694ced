"""Sensors: the quantities of a reading and what the device list says."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import NamedTuple, override

from homeassistant.components.sensor import (
    SensorDeviceClass as Class,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass as State,
)
from homeassistant.const import (
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    Platform,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfRatio,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .account.account import AccountConfigEntry
from .account.coordinator import ReadingsCoordinator
from .account.registry import device_of, show_single_cells
from .const import CONF_SINGLE_CELLS, DOMAIN
from .entity import DeviceEntity, async_add_as_seen
from .telemetry.device import WorkStatus
from .telemetry.reading import Value
from .telemetry.vocabulary import (
    CELL_VOLTAGES,
    HEALTH,
    PROBE_TEMPERATURES,
    TODAY,
    BatteryStatus,
    DeviceStatus,
    Key,
    RunMode,
    Status,
)

PARALLEL_UPDATES = 0
SCAN_INTERVAL = timedelta(minutes=5)
"""For the one sensor that no coordinator feeds."""


class Kind(NamedTuple):
    """What all quantities of a kind have in common."""

    device_class: Class | None = None
    unit: str | None = None
    precision: int | None = None
    state_class: State | None = None
    states: type[StrEnum] | None = None


BATTERY = Kind(Class.BATTERY, UnitOfRatio.PERCENTAGE, 0, State.MEASUREMENT)
RATIO = Kind(None, UnitOfRatio.PERCENTAGE, 0, State.MEASUREMENT)
VOLTAGE = Kind(Class.VOLTAGE, UnitOfElectricPotential.VOLT, 1, State.MEASUREMENT)
CELL_VOLTAGE = Kind(Class.VOLTAGE, UnitOfElectricPotential.VOLT, 3, State.MEASUREMENT)
SPREAD = Kind(Class.VOLTAGE, UnitOfElectricPotential.MILLIVOLT, 0, State.MEASUREMENT)
CURRENT = Kind(Class.CURRENT, UnitOfElectricCurrent.AMPERE, 1, State.MEASUREMENT)
POWER = Kind(Class.POWER, UnitOfPower.WATT, 0, State.MEASUREMENT)
TEMPERATURE = Kind(Class.TEMPERATURE, UnitOfTemperature.CELSIUS, 1, State.MEASUREMENT)
ENERGY = Kind(Class.ENERGY, UnitOfEnergy.KILO_WATT_HOUR, 1, State.TOTAL_INCREASING)
ENERGY_TODAY = Kind(Class.ENERGY, UnitOfEnergy.KILO_WATT_HOUR, 2, State.TOTAL)
STORED_ENERGY = Kind(Class.ENERGY_STORAGE, UnitOfEnergy.KILO_WATT_HOUR, 2, State.MEASUREMENT)
CHARGE = Kind(None, "Ah", 1, State.MEASUREMENT)
CYCLES = Kind(None, None, 0, State.TOTAL_INCREASING)
HOURS = Kind(Class.DURATION, UnitOfTime.HOURS, 0, State.TOTAL_INCREASING)
TIME_LEFT = Kind(Class.DURATION, UnitOfTime.MINUTES, 0, State.MEASUREMENT)
MINUTES = Kind(Class.DURATION, UnitOfTime.MINUTES, 0, State.TOTAL_INCREASING)
SECONDS = Kind(Class.DURATION, UnitOfTime.SECONDS, 0, State.MEASUREMENT)
NUMBER = Kind(None, None, 0)
FLOWS = ("pv", "pv1", "pv2", "pv3", "pv4", "pv5", "output", "output_1", "output_2")


def _of(kind: Kind, *keys: str) -> dict[str, Kind]:
    return dict.fromkeys(keys, kind)


SHOWN = {
    Key.SOC: BATTERY,
    Key.STATUS: Kind(Class.ENUM, states=Status),
    Key.DEVICE_STATUS: Kind(Class.ENUM, states=DeviceStatus),
    **_of(SPREAD, Key.CELL_VOLTAGE_SPREAD, *HEALTH),
    Key.ENERGY_REMAINING: STORED_ENERGY,
    **_of(CELL_VOLTAGE, Key.CELL_VOLTAGE_MAX, Key.CELL_VOLTAGE_MIN, Key.CELL_VOLTAGE_AVERAGE),
    **_of(VOLTAGE, Key.VOLTAGE, *(f"{flow}_voltage" for flow in FLOWS)),
    **_of(CURRENT, Key.CURRENT, *(f"{flow}_current" for flow in FLOWS)),
    **_of(POWER, Key.POWER, *(f"{flow}_power" for flow in FLOWS), Key.GRID_POWER, Key.LOAD_POWER),
    **_of(TEMPERATURE, Key.CELL_TEMPERATURE_MAX, Key.CELL_TEMPERATURE_MIN),
    **_of(TIME_LEFT, Key.TIME_TO_FULL, Key.TIME_TO_EMPTY),
    **_of(ENERGY, Key.ENERGY_CHARGED, Key.ENERGY_DISCHARGED, Key.ENERGY_IMPORTED, Key.ENERGY_EXPORTED),
    **_of(ENERGY, Key.PV_ENERGY, Key.OUTPUT_ENERGY, Key.LOAD_ENERGY),
    **_of(ENERGY_TODAY, *sorted(TODAY)),
    Key.OUTPUT_FREQUENCY: Kind(Class.FREQUENCY, UnitOfFrequency.HERTZ, 2, State.MEASUREMENT),
}
"""What an owner looks at."""

DIAGNOSTIC = {
    Key.ENERGY_RATED: STORED_ENERGY,
    Key.MODULE_COUNT: NUMBER,
    Key.POWER_LIMIT: POWER,
    Key.RUN_MODE: Kind(Class.ENUM, states=RunMode),
    Key.BATTERY_STATUS: Kind(Class.ENUM, states=BatteryStatus),
    Key.WORK_STATUS: Kind(Class.ENUM, states=WorkStatus),
    **_of(RATIO, Key.SOH, Key.SOH_AVERAGE, Key.DISCHARGE_DEPTH),
    **_of(CYCLES, Key.CYCLES, Key.CYCLES_MAX),
    **_of(CHARGE, Key.CAPACITY_FULL, Key.CAPACITY_REMAINING),
    **_of(VOLTAGE, Key.CHARGE_VOLTAGE_LIMIT, Key.DISCHARGE_VOLTAGE_LIMIT, Key.BUS_VOLTAGE),
    **_of(CURRENT, Key.CHARGE_CURRENT_LIMIT, Key.DISCHARGE_CURRENT_LIMIT),
    **_of(TEMPERATURE, Key.MOSFET_TEMPERATURE_MAX, Key.MOSFET_TEMPERATURE_MIN, *PROBE_TEMPERATURES),
    **_of(TEMPERATURE, Key.BMS_TEMPERATURE_MAX, Key.BMS_TEMPERATURE_MIN),
    **_of(TEMPERATURE, *(key for key in Key if key.endswith(("_temperature", "_temperature_average")))),
}

OFF_AT_FIRST = {
    Key.LAST_REPORT: Kind(Class.TIMESTAMP),
    # Where something is. Without unit or state class, each change of one would be a line in the logbook.
    **_of(NUMBER, *(key for key in Key if key.endswith(("_module", "_cell", "_sensor", "_group")))),
    **_of(HOURS, Key.CHARGE_TIME, Key.DISCHARGE_TIME, Key.PV_TIME),
    **_of(MINUTES, Key.CHARGE_TIME_TODAY, Key.DISCHARGE_TIME_TODAY, Key.PV_TIME_TODAY),
    # The other side of the solar tracker: the pack's own voltage and power say more.
    Key.MPPT_VOLTAGE: VOLTAGE,
    Key.MPPT_CURRENT: CURRENT,
    Key.MPPT_POWER: POWER,
    **_of(CURRENT, *(f"pv{number}_inductor_current" for number in range(1, 6))),
    **_of(CURRENT, Key.OUTPUT_INDUCTOR_CURRENT_1, Key.OUTPUT_INDUCTOR_CURRENT_2),
    # For cards that take no sign.
    **_of(POWER, Key.CHARGE_POWER, Key.DISCHARGE_POWER),
    # No source says what these are.
    **_of(NUMBER, Key.BMS_SYSTEM_STATUS, Key.PARALLEL_SYSTEM_NUMBER),
    Key.SELF_CHECK_TIME: SECONDS,
    Key.SIGNAL_STRENGTH: Kind(Class.SIGNAL_STRENGTH, SIGNAL_STRENGTH_DECIBELS_MILLIWATT, 0, State.MEASUREMENT),
}

_NUMBERED: dict[str, tuple[str, str]] = {
    **{key: ("probe_temperature", str(number)) for number, key in enumerate(PROBE_TEMPERATURES, 1)},
    **{key: ("single_cell_voltage", str(number)) for number, key in enumerate(CELL_VOLTAGES, 1)},
}
"""Quantities that share a name and differ in a number."""


def _description(
    key: str, kind: Kind, category: EntityCategory | None = EntityCategory.DIAGNOSTIC, *, enabled: bool = True
) -> SensorEntityDescription:
    name, number = _NUMBERED.get(key, (key, ""))
    return SensorEntityDescription(
        key=key,
        translation_key=name,
        translation_placeholders={"number": number},
        device_class=kind.device_class,
        native_unit_of_measurement=kind.unit,
        suggested_display_precision=kind.precision,
        state_class=kind.state_class,
        options=list(kind.states) if kind.states else None,
        entity_category=category,
        entity_registry_enabled_default=enabled,
    )


SENSORS = (
    *(_description(key, kind, None) for key, kind in SHOWN.items()),
    *(_description(key, kind) for key, kind in DIAGNOSTIC.items()),
    *(_description(key, kind, enabled=False) for key, kind in OFF_AT_FIRST.items()),
)
_SINGLE_CELLS = frozenset(CELL_VOLTAGES)
SINGLE_CELLS = tuple(_description(key, CELL_VOLTAGE, enabled=False) for key in CELL_VOLTAGES)
"""Off unless the account's option turns them on: a tower has hundreds."""
CALLS = _description("calls_last_hour", Kind(state_class=State.MEASUREMENT))


def for_module(description: SensorEntityDescription) -> SensorEntityDescription:
    """Return how a module has it: in lists of low batteries one house is one battery."""
    return replace(description, device_class=None) if description.device_class is Class.BATTERY else description


async def async_setup_entry(
    hass: HomeAssistant, entry: AccountConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of the account's devices."""
    account = entry.runtime_data

    def create(coordinator: ReadingsCoordinator, description: SensorEntityDescription) -> ReadingSensor:
        if description.key in CELL_VOLTAGES:
            shown = entry.options.get(CONF_SINGLE_CELLS, False)
            return ReadingSensor(account, coordinator, replace(description, entity_registry_enabled_default=shown))
        kind = WorkStatusSensor if description.key == Key.WORK_STATUS else ReadingSensor
        return kind(account, coordinator, for_module(description) if coordinator.is_module else description)

    descriptions = {Key(description.key): description for description in (*SENSORS, *SINGLE_CELLS)}
    show_single_cells(hass, entry)
    await async_add_as_seen(entry, async_add_entities, Platform.SENSOR, descriptions, create)
    async_add_entities([CallsSensor(entry)])
    added = set[Key]()

    async def apply_options(_hass: HomeAssistant, _entry: AccountConfigEntry) -> None:
        for serial, keys in show_single_cells(hass, entry).items():
            cells = [create(account.devices[serial], descriptions[key]) for key in keys if serial in account.devices]
            async_add_entities(cells, config_subentry_id=account.subentry_id(serial))
        if registered := device_of(hass, entry, entry.entry_id):
            dr.async_get(hass).async_update_device(registered.id, name=entry.title)

    @callback
    def add_combined() -> None:
        new = account.combined.keys - added
        if new:
            added.update(new)
            async_add_entities(CombinedSensor(entry, for_module(descriptions[key])) for key in sorted(new))

    entry.async_on_unload(entry.add_update_listener(apply_options))
    account.combined.on_change.append(add_combined)
    add_combined()


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else dt_util.as_local(dt_util.utc_from_timestamp(seconds))


class ReadingSensor(DeviceEntity, SensorEntity):
    """A value of the reading."""

    @override
    @callback
    def _handle_coordinator_update(self) -> None:
        """Report measurements with each sample, for helpers that integrate them; of the rest most stays for weeks."""
        if self.entity_category is None or self.key in _SINGLE_CELLS or self.is_new(self.native_value):
            self.async_write_ha_state()

    @property
    @override
    def native_value(self) -> Value | None:
        return reading.values.get(self.key) if (reading := self.coordinator.data) else None

    @property
    @override
    def last_reset(self) -> datetime | None:
        return _time(self.coordinator.today.since(self.key)) if self.key in TODAY else None


class WorkStatusSensor(ReadingSensor):
    """The word of the device list, which is read apart from the readings."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        if devices := self.account.device_list:
            self.async_on_remove(devices.async_add_listener(self._handle_coordinator_update))

    @property
    @override
    def available(self) -> bool:
        return bool((devices := self.account.device_list) and devices.is_shown)

    @property
    @override
    def native_value(self) -> StateType:
        return self.account.known[self.coordinator.serial].work_status


class CombinedSensor(SensorEntity):
    """A quantity of all batteries of the account."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: AccountConfigEntry, description: SensorEntityDescription) -> None:
        """Describe the entity and its device."""
        account = entry.runtime_data
        self._combined = account.combined
        self._key = Key(description.key)
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}-{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
            manufacturer=account.manufacturer,
            entry_type=DeviceEntryType.SERVICE,
            configuration_url=account.portal,
        )

    @override
    async def async_added_to_hass(self) -> None:
        self._combined.on_change.append(self.async_write_ha_state)
        self.async_on_remove(partial(self._combined.on_change.remove, self.async_write_ha_state))

    @property
    @override
    def available(self) -> bool:
        return self._key in self._combined.values

    @property
    @override
    def native_value(self) -> float | None:
        return self._combined.values.get(self._key)

    @property
    @override
    def last_reset(self) -> datetime | None:
        return _time(self._combined.since(self._key))


class CallsSensor(SensorEntity):
    """How much of the account's ceiling was used."""

    _attr_has_entity_name = True
    entity_description = CALLS

    def __init__(self, entry: AccountConfigEntry) -> None:
        """Belong to the account, not to a device."""
        self._queue = entry.runtime_data.queue
        self._attr_unique_id = f"{entry.entry_id}-{CALLS.key}"
        self._attr_translation_placeholders = {"entry": entry.title}

    @property
    @override
    def native_value(self) -> int:
        return self._queue.calls_last_hour
