"""Sensors: the quantities of a reading and what the device list says."""

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    EntityCategory,
    Platform,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfRatio,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .account.account import AccountConfigEntry
from .account.coordinator import DeviceCoordinator
from .const import CONF_SINGLE_CELLS
from .entity import DeviceEntity, async_add_as_seen
from .telemetry.device import WorkStatus
from .telemetry.reading import Value
from .telemetry.vocabulary import CELL_VOLTAGES, PROBE_TEMPERATURES, BatteryStatus, DeviceStatus, Key, RunMode, Status

PARALLEL_UPDATES = 0
SCAN_INTERVAL = timedelta(minutes=1)
"""For the one sensor that no coordinator feeds."""


def _measured(
    key: Key,
    device_class: SensorDeviceClass | None,
    unit: str | None,
    precision: int,
    category: EntityCategory | None = None,
    *,
    enabled: bool = True,
) -> SensorEntityDescription:
    return SensorEntityDescription(
        key=key,
        device_class=device_class,
        native_unit_of_measurement=unit,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=precision,
        entity_category=category,
        entity_registry_enabled_default=enabled,
    )


def _voltage(
    key: Key, precision: int = 1, category: EntityCategory | None = None, *, enabled: bool = True
) -> SensorEntityDescription:
    unit = UnitOfElectricPotential.VOLT
    return _measured(key, SensorDeviceClass.VOLTAGE, unit, precision, category, enabled=enabled)


def _current(key: Key, category: EntityCategory | None = None, *, enabled: bool = True) -> SensorEntityDescription:
    return _measured(key, SensorDeviceClass.CURRENT, UnitOfElectricCurrent.AMPERE, 1, category, enabled=enabled)


def _power(key: Key, *, enabled: bool = True) -> SensorEntityDescription:
    return _measured(key, SensorDeviceClass.POWER, UnitOfPower.WATT, 0, enabled=enabled)


def _temperature(key: Key, category: EntityCategory | None = EntityCategory.DIAGNOSTIC) -> SensorEntityDescription:
    return _measured(key, SensorDeviceClass.TEMPERATURE, UnitOfTemperature.CELSIUS, 1, category)


def _number(key: Key, *, enabled: bool = True) -> SensorEntityDescription:
    """Describe a count or a place: a plain whole number without statistics."""
    return SensorEntityDescription(
        key=key,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
    )


def _energy(key: Key) -> SensorEntityDescription:
    """Describe a counter of a lifetime, or of a day where it falls to 0 at its end."""
    return SensorEntityDescription(
        key=key,
        device_class=SensorDeviceClass.ENERGY,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        state_class=SensorStateClass.TOTAL_INCREASING,
        suggested_display_precision=1,
    )


def _duration(key: Key, unit: UnitOfTime, state_class: SensorStateClass) -> SensorEntityDescription:
    return SensorEntityDescription(
        key=key,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=unit,
        state_class=state_class,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    )


def _state(key: Key, states: type[StrEnum], category: EntityCategory | None = None) -> SensorEntityDescription:
    return SensorEntityDescription(
        key=key, device_class=SensorDeviceClass.ENUM, options=list(states), entity_category=category
    )


def _cycles(key: Key) -> SensorEntityDescription:
    return SensorEntityDescription(
        key=key,
        state_class=SensorStateClass.TOTAL_INCREASING,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
    )


def _stored(key: Key, category: EntityCategory | None = None) -> SensorEntityDescription:
    return _measured(key, SensorDeviceClass.ENERGY_STORAGE, UnitOfEnergy.KILO_WATT_HOUR, 2, category)


def _charge(key: Key) -> SensorEntityDescription:
    """Describe a charge, for which Home Assistant has neither class nor unit."""
    return _measured(key, None, "Ah", 1, EntityCategory.DIAGNOSTIC)


SENSORS: tuple[SensorEntityDescription, ...] = (
    # The only battery among the classes: triggers and cards of Home Assistant look for it.
    _measured(Key.SOC, SensorDeviceClass.BATTERY, UnitOfRatio.PERCENTAGE, 0),
    _measured(Key.SOH, None, UnitOfRatio.PERCENTAGE, 0, EntityCategory.DIAGNOSTIC),
    _measured(Key.SOH_AVERAGE, None, UnitOfRatio.PERCENTAGE, 0, EntityCategory.DIAGNOSTIC),
    _voltage(Key.VOLTAGE),
    _current(Key.CURRENT),
    _power(Key.POWER),
    _state(Key.STATUS, Status),
    _cycles(Key.CYCLES),
    _cycles(Key.CYCLES_MAX),
    _voltage(Key.CELL_VOLTAGE_MAX, 3),
    _number(Key.CELL_VOLTAGE_MAX_MODULE),
    _number(Key.CELL_VOLTAGE_MAX_CELL),
    _voltage(Key.CELL_VOLTAGE_MIN, 3),
    _number(Key.CELL_VOLTAGE_MIN_MODULE),
    _number(Key.CELL_VOLTAGE_MIN_CELL),
    _measured(Key.CELL_VOLTAGE_SPREAD, SensorDeviceClass.VOLTAGE, UnitOfElectricPotential.MILLIVOLT, 0),
    _temperature(Key.CELL_TEMPERATURE_AVERAGE),
    _temperature(Key.CELL_TEMPERATURE_MAX, None),
    _number(Key.CELL_TEMPERATURE_MAX_MODULE),
    _number(Key.CELL_TEMPERATURE_MAX_SENSOR),
    _temperature(Key.CELL_TEMPERATURE_MIN, None),
    _number(Key.CELL_TEMPERATURE_MIN_MODULE),
    _number(Key.CELL_TEMPERATURE_MIN_SENSOR),
    _temperature(Key.MOSFET_TEMPERATURE_AVERAGE),
    _temperature(Key.MOSFET_TEMPERATURE_MAX),
    _temperature(Key.MOSFET_TEMPERATURE_MIN),
    _temperature(Key.BMS_TEMPERATURE_AVERAGE),
    _temperature(Key.BMS_TEMPERATURE_MAX),
    _temperature(Key.BMS_TEMPERATURE_MIN),
    _voltage(Key.CHARGE_VOLTAGE_LIMIT, category=EntityCategory.DIAGNOSTIC),
    _voltage(Key.DISCHARGE_VOLTAGE_LIMIT, category=EntityCategory.DIAGNOSTIC),
    _current(Key.CHARGE_CURRENT_LIMIT, EntityCategory.DIAGNOSTIC),
    _current(Key.DISCHARGE_CURRENT_LIMIT, EntityCategory.DIAGNOSTIC),
    _number(Key.MODULE_COUNT),
    SensorEntityDescription(
        key=Key.LAST_REPORT, device_class=SensorDeviceClass.TIMESTAMP, entity_category=EntityCategory.DIAGNOSTIC
    ),
    *map(
        _energy,
        (
            Key.ENERGY_CHARGED,
            Key.ENERGY_CHARGED_TODAY,
            Key.ENERGY_DISCHARGED,
            Key.ENERGY_DISCHARGED_TODAY,
            Key.PV_ENERGY,
            Key.PV_ENERGY_TODAY,
            Key.OUTPUT_ENERGY,
            Key.OUTPUT_ENERGY_TODAY,
            Key.ENERGY_IMPORTED,
            Key.ENERGY_IMPORTED_TODAY,
            Key.ENERGY_EXPORTED,
            Key.ENERGY_EXPORTED_TODAY,
        ),
    ),
    *(
        _duration(key, UnitOfTime.HOURS, SensorStateClass.TOTAL_INCREASING)
        for key in (Key.CHARGE_TIME, Key.DISCHARGE_TIME, Key.PV_TIME)
    ),
    *(
        _duration(key, UnitOfTime.MINUTES, SensorStateClass.TOTAL_INCREASING)
        for key in (Key.CHARGE_TIME_TODAY, Key.DISCHARGE_TIME_TODAY, Key.PV_TIME_TODAY)
    ),
    _power(Key.PV_POWER),
    *(_voltage(Key(f"pv{number}_voltage")) for number in range(1, 6)),
    *(_current(Key(f"pv{number}_current")) for number in range(1, 6)),
    *(_power(Key(f"pv{number}_power")) for number in range(1, 6)),
    *(_current(Key(f"pv{n}_inductor_current"), EntityCategory.DIAGNOSTIC, enabled=False) for n in range(1, 6)),
    _voltage(Key.BUS_VOLTAGE, category=EntityCategory.DIAGNOSTIC),
    _voltage(Key.OUTPUT_VOLTAGE),
    _current(Key.OUTPUT_CURRENT),
    _power(Key.OUTPUT_POWER),
    _current(Key.OUTPUT_INDUCTOR_CURRENT_1, EntityCategory.DIAGNOSTIC, enabled=False),
    _current(Key.OUTPUT_INDUCTOR_CURRENT_2, EntityCategory.DIAGNOSTIC, enabled=False),
    _temperature(Key.AMBIENT_TEMPERATURE),
    _temperature(Key.PV_CONVERTER_TEMPERATURE),
    _temperature(Key.PV_INDUCTOR_TEMPERATURE),
    _temperature(Key.OUTPUT_CONVERTER_TEMPERATURE),
    _temperature(Key.OUTPUT_INDUCTOR_TEMPERATURE),
    # Of a converter behind this one; what exactly they are no source says.
    _power(Key.PCS_OUTPUT_POWER, enabled=False),
    _power(Key.PCS_CHARGE_POWER, enabled=False),
    _voltage(Key.CELL_VOLTAGE_AVERAGE, 3),
    _number(Key.CELL_VOLTAGE_MAX_GROUP, enabled=False),
    _number(Key.CELL_VOLTAGE_MIN_GROUP, enabled=False),
    _number(Key.CELL_TEMPERATURE_MAX_GROUP, enabled=False),
    _number(Key.CELL_TEMPERATURE_MIN_GROUP, enabled=False),
    _state(Key.DEVICE_STATUS, DeviceStatus),
    _state(Key.RUN_MODE, RunMode, EntityCategory.DIAGNOSTIC),
    _state(Key.BATTERY_STATUS, BatteryStatus, EntityCategory.DIAGNOSTIC),
    _number(Key.BMS_SYSTEM_STATUS, enabled=False),
    _number(Key.PARALLEL_SYSTEM_NUMBER, enabled=False),
    _duration(Key.SELF_CHECK_TIME, UnitOfTime.SECONDS, SensorStateClass.MEASUREMENT),
    _stored(Key.ENERGY_RATED, EntityCategory.DIAGNOSTIC),
    _stored(Key.ENERGY_REMAINING),
    _charge(Key.CAPACITY_FULL),
    _charge(Key.CAPACITY_REMAINING),
    *map(
        _temperature,
        (
            Key.BMS_TEMPERATURE,
            Key.BATTERY_TEMPERATURE,
            Key.HEATSINK_TEMPERATURE,
            Key.INTERNAL_TEMPERATURE,
            Key.POWER_MODULE_TEMPERATURE,
        ),
    ),
    _voltage(Key.PV_VOLTAGE),
    _current(Key.PV_CURRENT),
    *(_voltage(Key(f"output_{number}_voltage")) for number in (1, 2)),
    *(_current(Key(f"output_{number}_current")) for number in (1, 2)),
    *(_power(Key(f"output_{number}_power")) for number in (1, 2)),
    _power(Key.GRID_POWER),
    _power(Key.LOAD_POWER),
    # The tracker's other side: the pack's own voltage and power say more.
    _voltage(Key.MPPT_VOLTAGE, category=EntityCategory.DIAGNOSTIC, enabled=False),
    _current(Key.MPPT_CURRENT, EntityCategory.DIAGNOSTIC, enabled=False),
    _power(Key.MPPT_POWER, enabled=False),
    # Settings.
    _measured(Key.POWER_LIMIT, SensorDeviceClass.POWER, UnitOfPower.WATT, 0, EntityCategory.DIAGNOSTIC),
    _measured(Key.DISCHARGE_DEPTH, None, UnitOfRatio.PERCENTAGE, 0, EntityCategory.DIAGNOSTIC),
    *(replace(_temperature(key), translation_key="probe_temperature") for key in PROBE_TEMPERATURES),
)

SINGLE_CELLS = tuple(
    replace(_voltage(key, 3, EntityCategory.DIAGNOSTIC, enabled=False), translation_key="single_cell_voltage")
    for key in CELL_VOLTAGES
)
"""Off unless the account's option turns them on: a tower has hundreds."""

WORK_STATUS = _state(Key.WORK_STATUS, WorkStatus, EntityCategory.DIAGNOSTIC)

CALLS = SensorEntityDescription(
    key="calls_last_hour",
    translation_key="calls_last_hour",
    state_class=SensorStateClass.MEASUREMENT,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AccountConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of the account's devices."""

    def create(coordinator: DeviceCoordinator, description: SensorEntityDescription) -> ReadingSensor:
        return (WorkStatusSensor if description is WORK_STATUS else ReadingSensor)(coordinator, description)

    single_cells = entry.options.get(CONF_SINGLE_CELLS, False)
    cells = [replace(description, entity_registry_enabled_default=single_cells) for description in SINGLE_CELLS]
    descriptions = {Key(description.key): description for description in (*SENSORS, *cells, WORK_STATUS)}
    await async_add_as_seen(entry, async_add_entities, Platform.SENSOR, descriptions, create)
    async_add_entities([CallsSensor(entry)])


class ReadingSensor(DeviceEntity, SensorEntity):
    """A value of the reading."""

    @property
    @override
    def native_value(self) -> Value | None:
        return self.coordinator.data.values.get(self.key)


class WorkStatusSensor(ReadingSensor):
    """The word of the device list, which is read apart from the readings."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        inventory = self.coordinator.inventory
        self.async_on_remove(inventory.async_add_listener(self._handle_coordinator_update))

    @property
    @override
    def available(self) -> bool:
        inventory = self.coordinator.inventory
        return inventory.last_update_success and inventory.is_current

    @property
    @override
    def native_value(self) -> StateType:
        return self.coordinator.device.work_status


class CallsSensor(SensorEntity):
    """How much of the account's budget was used."""

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
