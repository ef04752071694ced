"""Completes the hours of a battery's long-term statistics after a gap, without harm to anybody else's."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
import logging
from typing import Any, Literal

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.components.recorder.statistics import (
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
from homeassistant.util import dt as dt_util

from ..telemetry.energy.capacity import CAPACITIES
from ..telemetry.energy.energies import METERED
from ..telemetry.energy.meter import MAXIMUM_POWER, Sample, within
from ..telemetry.energy.statistics import HOUR, Gap, Gaps, Mean, Shown, Total, plan_means, plan_totals
from ..telemetry.vocabulary import Key
from .account import Account
from .coordinator import ReadingsCoordinator
from .registry import entity_of

_LOGGER = logging.getLogger(__package__)

KEYS = (Key.POWER, Key.SOC, *METERED)
UNITS = {"power": UnitOfPower.WATT, "unitless": PERCENTAGE, "energy": UnitOfEnergy.KILO_WATT_HOUR}
"""Of the readings, by class of unit: rows that are kept in another one are left as they are."""
COMPILED = 10
"""Seconds after the hour when the recorder begins to compile it."""

type Import = tuple[StatisticMetaData, list[StatisticData]]


class Completion:
    """Remembers what one battery has shown, and completes what the recorder has of it."""

    def __init__(self, account: Account, coordinator: ReadingsCoordinator) -> None:
        """Go on from what is remembered."""
        self._account = account
        self._hass = account.hass
        self._coordinator = coordinator
        self._gaps = account.memory.state(coordinator.serial, "statistics", Gaps)
        self._compiled = 0.0
        """End of the hours that have been seen to."""
        self.findings: dict[str, Any] = {}
        """What was completed since the start, for diagnostics."""
        # What is imported before the recorder has compiled an hour makes everybody's rows of that hour fail. Behind
        # this event, which first comes after the start, all hours that have ended are compiled.
        listen = account.hass.bus.async_listen
        account.entry.async_on_unload(listen(EVENT_RECORDER_5MIN_STATISTICS_GENERATED, self._on_compiled))

    @callback
    def note(self) -> bool:
        """Remember the sample that is shown by now; return whether history is wanted for the time before it."""
        if shown := self._shown():
            self._gaps.note(shown)
            self._account.memory.write_soon()
        return self._gaps.is_open and bool(self._entities())

    @callback
    def learn(self, day: datetime | None, records: Iterable[tuple[datetime, float, float | None]]) -> None:
        """Take the history for the gap whose energies are shown by now."""
        if self._gaps.is_open and (shown := self._shown()):
            of_day = ((at.timestamp(), power, soc) for at, power, soc in records)
            self._gaps.close(shown, day.timestamp() if day else None, of_day)
            self._account.memory.write_soon()
            self._compiled = 0.0

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
    def _on_compiled(self, _event: Event) -> None:
        compiled = (dt_util.utcnow().timestamp() - COMPILED) // HOUR * HOUR
        is_of_use = any(gap.after.at // HOUR * HOUR >= self._compiled for gap in self._gaps.closed)
        if is_of_use and compiled > self._compiled:
            self._compiled = compiled
            self._coordinator.run(self._complete(compiled), "statistics")

    async def _complete(self, compiled: float) -> None:
        instance = get_instance(self._hass)
        await instance.async_block_till_done()  # the event is fired before its rows can be read
        longest = instance.keep_days * 86400
        gaps = [gap for gap in self._gaps.closed if not gap.before or gap.after.at - gap.before.at < longest]
        plan = await instance.async_add_executor_job(self._plan, gaps, self._entities(), compiled)
        for metadata, rows in plan:
            async_import_statistics(self._hass, metadata, rows)
        if hours := len({row["start"] for _, rows in plan for row in rows}):
            _LOGGER.info("Statistics of %s: %d hours completed from the day's history", self._coordinator.name, hours)
            self.findings = {"hours": self.findings.get("hours", 0) + hours, "gaps": len(gaps), "from": "day's history"}

    def _entities(self) -> dict[Key, str]:
        """Return the entities whose statistics can be completed."""
        if RECORDER not in self._hass.config.components:
            return {}
        is_kept = get_instance(self._hass).entity_filter
        found = {key: entity_of(self._hass, Platform.SENSOR, self._coordinator.serial, key) for key in KEYS}
        on = {key: entity.entity_id for key, entity in found.items() if entity and not entity.disabled}
        return {key: entity_id for key, entity_id in on.items() if not is_kept or is_kept(entity_id)}

    def _plan(self, gaps: list[Gap], entities: dict[Key, str], compiled: float) -> list[Import]:
        """Return what is to be imported, in the recorder's executor."""
        if not gaps or not entities:
            return []
        ids = set(entities.values())
        known = get_metadata(self._hass, statistic_ids=ids)
        # An older row says by how much sum and state of a total differ.
        since = min(gap.before.at if gap.before else gap.day for gap in gaps) - 86400
        first = min(max(gap.left_at, gap.day) for gap in gaps) // HOUR * HOUR
        read = partial(_read, self._hass, ids)
        hours, fives = read("hour", since // HOUR * HOUR), read("5minute", first)
        plan: list[Import] = []
        for key, entity_id in entities.items():
            metadata = known[entity_id][1] if entity_id in known else None  # not compiled yet
            if not metadata or metadata["unit_of_measurement"] != UNITS.get(metadata["unit_class"] or ""):
                continue
            found: dict[int, Total] | dict[int, Mean]
            if key in METERED:
                found = plan_totals(gaps, METERED.index(key), _rows(Total, hours.get(entity_id)), compiled)
            else:
                curves = [(gap, gap.powers if key is Key.POWER else gap.socs) for gap in gaps]
                means, parts = _rows(Mean, hours.get(entity_id)), _rows(Mean, fives.get(entity_id))
                found = plan_means(curves, means, parts, compiled)
            if found:
                plan.append((metadata, _for_import(found)))
        return plan


def _read(
    hass: HomeAssistant, ids: set[str], period: Literal["5minute", "hour"], start: float
) -> dict[str, list[StatisticsRow]]:
    since = dt_util.utc_from_timestamp(start)
    return statistics_during_period(hass, since, None, ids, period, UNITS, {"state", "sum", "mean", "min", "max"})


def _rows[Row: (Total, Mean)](kind: type[Row], rows: Iterable[Mapping[str, Any]] | None) -> dict[float, Row]:
    """Return the rows that have all that such a row needs, by their beginning."""
    read: Iterable[tuple[float, list[Any]]] = (
        (row["start"], [row.get(name) for name in kind._fields]) for row in rows or ()
    )
    return {start: kind(*values) for start, values in read if None not in values}


def _for_import(found: Mapping[int, Total | Mean]) -> list[Any]:
    return [{"start": dt_util.utc_from_timestamp(hour)} | row._asdict() for hour, row in sorted(found.items())]
