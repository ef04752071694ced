"""Four houses: what their batteries upload in a month, as the integration decodes it, and what has truly flown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from custom_components.dyness_atess.telemetry.atess.decoder import ConverterDecoder
from custom_components.dyness_atess.telemetry.dyness.decoder import decode, family_by_name
from custom_components.dyness_atess.telemetry.dyness.history import day_begins, samples
from custom_components.dyness_atess.telemetry.energy.meter import Flow
from custom_components.dyness_atess.telemetry.energy.statistics import HOUR
from custom_components.dyness_atess.telemetry.reading import Reading, Value
from custom_components.dyness_atess.telemetry.vocabulary import Key

from ..atess.pbd import Pbd
from ..dyness.catalogue import build
from ..dyness.devices import PERIOD
from ..dyness.storage import Storage
from ..dyness.throughput import since_epoch

BEGIN = datetime(2026, 4, 30, 23, tzinfo=UTC)
"""A midnight where the houses stand."""
DAYS = 30
WARMING_UP = timedelta(hours=4)
APPLIANCES = 2.5
"""kW that the largest takes; the plant of a PBD has none, and power that changes every five minutes"""
ZEROS, GLITCH = 0.002, 0.002
"""Share of the samples with which some begin that are zeros only, and of those with one number that cannot be."""
LOW_VOLTAGE = (("700", "6553.5"), ("800", "0"), ("800", "255"))
HIGH_VOLTAGE = (("1000", "6553.5"), ("1400", "0"), ("1900", "0.00"), ("1900", "655350.00"))
CONVERTER = (("ibat", 6553.5), ("capacity", 0), ("ebatChargeTotal", 0.0), ("ebatDischargeTotal", 1e6))
"""Glitches: points and fields, and what they say then."""

type Records = list[tuple[datetime, float, float | None]]


class Uploaded(NamedTuple):
    """A sample, and what it says; nothing where it cannot be."""

    at: float
    values: Mapping[Key, Value]


@dataclass(frozen=True, kw_only=True)
class House:
    """A battery, whose days have weather, and sudden loads."""

    uploads: list[Uploaded]
    flown: Callable[[float], Flow]
    """kWh that were charged and discharged until a time"""
    history: Callable[[float], tuple[datetime | None, Records]] | None
    """What the cloud tells of the day at a time: its beginning and its records"""
    is_metered: bool

    def energy(self, start: float, end: float) -> Flow:
        """Return what was charged and discharged between two times."""
        (charged, discharged), (charged_later, discharged_later) = self.flown(start), self.flown(end)
        return charged_later - charged, discharged_later - discharged


def powerhaus(appliances: float, weather: int) -> House:
    """Without counters and without history."""
    return _dyness("powerhaus", LOW_VOLTAGE, appliances, weather)


def dl5(appliances: float, weather: int) -> House:
    """Without counters."""
    return _dyness("dl5-3", LOW_VOLTAGE, appliances, weather)


def tower(appliances: float, weather: int) -> House:
    """With a counter of what was charged."""
    return _dyness("tower-t14", HIGH_VOLTAGE, appliances, weather)


def pbd(_appliances: float, weather: int) -> House:
    """With counters of both, in steps of 0.1 kWh, and without history."""
    device, decoder = Pbd(seed=weather), ConverterDecoder("pbd")
    chance = Random(f"pbd {weather}")

    def flown(at: float) -> Flow:
        local = at - datetime(2026, 1, 1, tzinfo=UTC).timestamp() + device.utc_offset.total_seconds()
        totals = device.plant.totals(local)
        return totals.energy_charged, totals.energy_discharged

    def read(now: datetime, fault: str) -> Reading:
        record = device.record(now)
        if fault == "zeros":
            record = {name: value if name in ("deviceSn", "time") else 0 for name, value in record.items()}
        elif fault == "glitch":
            record = record | dict([chance.choice(CONVERTER)])
        return decoder.decode(record, now)

    return House(uploads=_uploads(device, chance, read), flown=flown, history=None, is_metered=False)


HOUSES = {"PowerHaus": powerhaus, "DL5.0C x 3": dl5, "Tower T14": tower, "PBD": pbd}


def _dyness(name: str, glitches: tuple[tuple[str, str], ...], appliances: float, weather: int) -> House:
    device: Storage = build(name, seed=weather)[0]
    device.battery = replace(device.battery, appliances=appliances / device.energy_rated)
    family_name: str | None = None
    chance = Random(f"{name} {weather}")

    def flown(at: float) -> Flow:
        totals = since_epoch(device.battery, device.battery.local(datetime.fromtimestamp(at, UTC)))
        return totals.charged * device.kilowatt_hours, totals.discharged * device.kilowatt_hours

    def read(now: datetime, fault: str) -> Reading:
        nonlocal family_name
        points = device.points(now)
        wrong = dict([chance.choice(glitches)]) if fault == "glitch" else {}
        if fault == "zeros":
            wrong = {point["pointId"]: "0" for point in points if point["pointId"] not in ("T", "TIME")}
        reading = decode([_with(point, wrong) for point in points], family_name)
        family_name = reading.family
        if not reading.empty:
            reading.values.setdefault(Key.ENERGY_RATED, device.energy_rated)  # as its modules or its plant tell it
        return reading

    def history(at: float) -> tuple[datetime | None, Records]:
        family = family_by_name(family_name)
        records = device.power_history(datetime.fromtimestamp(at, UTC))
        return day_begins(records), samples(records, current_sign=family.current_sign if family else 1)

    found = history if device.history else None
    return House(uploads=_uploads(device, chance, read), flown=flown, history=found, is_metered=True)


def _with(point: dict[str, Any], wrong: Mapping[str, str]) -> dict[str, Any]:
    return point | {"pointValue": wrong.get(point["pointId"], point["pointValue"])}


def _uploads(device: Storage | Pbd, chance: Random, read: Callable[[datetime, str], Reading]) -> list[Uploaded]:
    """Take the samples of the month and decode them; some are zeros or have a number that cannot be."""
    first, found, zeros = device.sample_time(BEGIN - WARMING_UP), [], 0
    for number in range((timedelta(days=DAYS) + WARMING_UP + timedelta(seconds=HOUR)) // PERIOD):
        zeros = chance.randint(1, 3) if chance.random() < ZEROS else max(zeros - 1, 0)
        fault = "zeros" if zeros else "glitch" if chance.random() < GLITCH else ""
        taken_at = first + number * PERIOD
        reading = read(taken_at + timedelta(seconds=45), fault)
        found.append(Uploaded(taken_at.timestamp(), reading.values))
    return found
