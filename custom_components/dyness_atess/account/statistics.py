"""Completes the hours of a battery's long-term statistics after a gap, without harm to anybody else's."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
import logging
from typing import Any

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    UNIT_CLASS_TO_UNIT_CONVERTER,
    StatisticsRow,
    async_import_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.const import (
    EVENT_RECORDER_5MIN_STATISTICS_GENERATED,
    PERCENTAGE,
    Platform,
    UnitOfEnergy,
    UnitOfPower,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..telemetry.energy.capacity import CAPACITIES
from ..telemetry.energy.energies import METERED
from ..telemetry.energy.meter import MAXIMUM_INTERVAL, MAXIMUM_POWER, Sample, stored, within
from ..telemetry.energy.statistics import HOUR, Gap, Mean, Shown, Total, plan_means, plan_totals
from ..telemetry.vocabulary import Key
from .account import Account
from .coordinator import ReadingsCoordinator

_LOGGER = logging.getLogger(__package__)

KEYS = (Key.POWER, Key.SOC, *METERED)
UNITS = {"power": UnitOfPower.WATT, "unitless": PERCENTAGE, "energy": UnitOfEnergy.KILO_WATT_HOUR}
"""In which rows are read, by class of unit: what is planned is in the units of the readings."""
KEPT, MOST = timedelta(days=1), 12
"""Gaps that touch the same hour are planned together, so done ones stay so long, and no more of them."""
COMPILED = 10
"""Seconds after the hour when the recorder begins to compile it."""

type Plan = dict[Key, tuple[StatisticMetaData, list[StatisticData]]]


class Completion:
    """Remembers what one battery has shown, and completes what the recorder has of it."""

    def __init__(self, account: Account, coordinator: ReadingsCoordinator) -> None:
        """Go on from what is remembered; anything malformed is begun anew."""
        self._account = account
        self._hass = account.hass
        self._coordinator = coordinator
        self.findings: dict[str, Any] = {}
        """What was completed since the start, for diagnostics."""
        memory = account.memory.recall(coordinator.serial).get("statistics")
        try:
            self._load(memory)
        except AttributeError, LookupError, TypeError, ValueError:
            self._load(None)
        self._compiled = 0.0
        """End of the hours that have been seen to."""
        self._is_busy = False
        coordinator.on_end.append(async_at_started(account.hass, self._listen))

    def _load(self, memory: Any) -> None:
        content = memory or {"last": None, "open": None, "gaps": []}
        last, is_open, gaps = content["last"], content["open"], content["gaps"]
        self._last = None if last is None else Shown.load(last)
        self._open: tuple[Shown | None, float] | None = None
        """What was shown before a gap whose history is still to be asked for, and when it ended."""
        if is_open is not None:
            self._open = None if is_open[0] is None else Shown.load(is_open[0]), stored(is_open[1])
        self._gaps = [Gap.load(gap) for gap in gaps]

    def _keep(self) -> None:
        memory = {"last": self._last, "open": self._open, "gaps": [gap.memory for gap in self._gaps]}
        self._account.memory.keep(self._coordinator.serial, statistics=memory)

    @callback
    def note(self) -> bool:
        """Remember the sample that is shown by now; return whether history is wanted for the time before it."""
        if not (shown := self._shown()):
            return False
        before, self._last = self._last, shown
        if before is None or shown.sample.at - before.sample.at > MAXIMUM_INTERVAL.total_seconds():
            self._open = before, shown.at
        elif self._open and shown.at - self._open[1] > KEPT.total_seconds():
            self._open = None
        self._keep()
        return self._open is not None and bool(self._entities())

    @callback
    def learn(self, day: datetime | None, records: Iterable[tuple[datetime, float, float | None]]) -> None:
        """Take the history for the gap whose energies are shown by now."""
        if self._open is None or not (shown := self._shown()):
            return
        before, returned_at = self._open
        self._last, self._open = shown, None
        if day:
            start, end = before.sample.at if before else 0.0, shown.sample.at
            dated = [Sample(at.timestamp(), power, soc, None) for at, power, soc in records]
            gap = Gap(
                before=before,
                returned_at=returned_at,
                after=shown,
                day=day.timestamp(),
                records=tuple(record for record in dated if start < record.at < end),
            )
            recent = [old for old in self._gaps if shown.at - old.after.at < KEPT.total_seconds()]
            self._gaps = [*recent, *([gap] if gap.samples else [])][-MOST:]
            self._compiled = 0.0
        self._keep()

    def _shown(self) -> Shown | None:
        coordinator = self._coordinator
        values = coordinator.data.values if coordinator.data else {}
        power = within(values.get(Key.POWER), -MAXIMUM_POWER, MAXIMUM_POWER)
        if power is None or coordinator.sampled_at is None:
            return None
        soc, capacity = within(values.get(Key.SOC), 0, 100), within(values.get(Key.ENERGY_RATED), *CAPACITIES)
        charged, discharged = (within(values.get(key), 0, float("inf")) for key in METERED)
        sample = Sample(coordinator.sampled_at.timestamp(), power, soc, capacity or None)
        return Shown(dt_util.utcnow().timestamp(), sample, (charged, discharged))

    @callback
    def _listen(self, hass: HomeAssistant) -> None:
        # What is imported before the recorder has compiled an hour makes everybody's rows of that hour fail. Behind
        # this event all hours that have ended are compiled.
        self._coordinator.on_end.append(
            hass.bus.async_listen(EVENT_RECORDER_5MIN_STATISTICS_GENERATED, self._on_compiled)
        )

    @callback
    def _on_compiled(self, _event: Event) -> None:
        compiled = (dt_util.utcnow().timestamp() - COMPILED) // HOUR * HOUR
        is_of_use = any(gap.after.at // HOUR * HOUR >= self._compiled for gap in self._gaps)
        if is_of_use and compiled > self._compiled and not self._is_busy:
            self._is_busy = True
            name = f"statistics of {self._coordinator.name}"
            self._account.entry.async_create_background_task(self._hass, self._complete(compiled), name)

    async def _complete(self, compiled: float) -> None:
        try:
            instance = get_instance(self._hass)
            await instance.async_block_till_done()  # the event is fired before its rows can be read
            kept = timedelta(days=instance.keep_days).total_seconds()
            gaps = [gap for gap in self._gaps if gap.before is None or gap.after.at - gap.left_at < kept]
            entities = self._entities()
            self._compiled = compiled
            plan = await instance.async_add_executor_job(self._plan, gaps, entities, compiled)
            # Renamed or turned off meanwhile: not those.
            still = {key for key, entity_id in self._entities().items() if entities.get(key) == entity_id}
            for key in plan.keys() & still:
                async_import_statistics(self._hass, *plan[key])
        finally:
            self._is_busy = False
        if hours := len({row["start"] for _, rows in plan.values() for row in rows}):
            _LOGGER.info("Statistics of %s: %d hours completed from the day's history", self._coordinator.name, hours)
            self.findings = {"hours": self.findings.get("hours", 0) + hours, "gaps": len(gaps), "from": "day's history"}

    def _entities(self) -> dict[Key, str]:
        """Return the entities whose statistics can be completed."""
        if RECORDER not in self._hass.config.components:
            return {}
        registry, instance = er.async_get(self._hass), get_instance(self._hass)
        ids = {
            key: registry.async_get_entity_id(Platform.SENSOR, DOMAIN, f"{self._coordinator.serial}-{key}")
            for key in KEYS
        }
        return {
            key: entity_id
            for key, entity_id in ids.items()
            if entity_id
            and not registry.entities[entity_id].disabled
            and (not instance.entity_filter or instance.entity_filter(entity_id))
        }

    def _plan(self, gaps: list[Gap], entities: dict[Key, str], compiled: float) -> Plan:
        """Return what is to be imported, in the recorder's executor."""
        if not gaps or not entities:
            return {}
        ids = set(entities.values())
        metadata = get_metadata(self._hass, statistic_ids=ids)
        starts = [max(gap.left_at, gap.day) if gap.before else gap.day for gap in gaps]
        first = dt_util.utc_from_timestamp(min(starts) // HOUR * HOUR)
        since = dt_util.utc_from_timestamp(min([*starts, *(gap.left_at for gap in gaps if gap.before)]) // HOUR * HOUR)
        hours = statistics_during_period(
            self._hass, since - timedelta(days=1), None, ids, "hour", UNITS, {"state", "sum", "mean", "min", "max"}
        )
        fives = statistics_during_period(self._hass, first, None, ids, "5minute", UNITS, {"mean", "min", "max"})
        plan: Plan = {}
        for key, entity_id in entities.items():
            if entity_id not in metadata or metadata[entity_id][1]["unit_class"] not in UNITS:
                continue  # not compiled yet, or in a unit of its owner's
            found: Mapping[int, Total | Mean]
            if key in METERED:
                totals, found = _totals(hours.get(entity_id, [])), {}
                for gap in gaps:
                    found |= plan_totals(gap, METERED.index(key), totals, compiled)
            else:
                curves = [(gap, gap.powers if key is Key.POWER else gap.socs) for gap in gaps]
                found = plan_means(curves, _means(hours.get(entity_id, [])), _means(fives.get(entity_id, [])), compiled)
            if found:
                plan[key] = _for_import(metadata[entity_id][1], found)
        return plan


def _totals(rows: Iterable[StatisticsRow]) -> dict[float, Total]:
    found = ((row["start"], row.get("state"), row.get("sum")) for row in rows)
    return {start: Total(state, total) for start, state, total in found if state is not None and total is not None}


def _means(rows: Iterable[StatisticsRow]) -> dict[float, Mean]:
    found = ((row["start"], row.get("mean"), row.get("min"), row.get("max")) for row in rows)
    return {
        start: Mean(mean, low, high)
        for start, mean, low, high in found
        if mean is not None and low is not None and high is not None
    }


def _for_import(
    metadata: StatisticMetaData, found: Mapping[int, Total | Mean]
) -> tuple[StatisticMetaData, list[StatisticData]]:
    """Return rows in the unit that the recorder keeps them in: the metadata go with them and are what it has."""
    unit_class, unit = metadata["unit_class"], metadata["unit_of_measurement"]
    converter = UNIT_CLASS_TO_UNIT_CONVERTER[unit_class]
    convert = converter.converter_factory(UNITS[unit_class or ""], unit)
    rows: list[Any] = [
        {"start": dt_util.utc_from_timestamp(hour)} | {name: convert(value) for name, value in row._asdict().items()}
        for hour, row in sorted(found.items())
    ]
    return metadata, rows
