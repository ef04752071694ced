"""From points to a Reading, with the table of the family that the points show themselves to be of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
import re
from typing import Any

from ..alarms import alarm_attributes
from ..raw import Point
from ..reading import Reading, Value
from ..vocabulary import CELL_VOLTAGES, BatteryStatus, Key
from .derive import derive
from .families import FAMILIES
from .families.common import DONGLE, HEAD
from .family import Family, Kind, Rule, Series
from .points import read_points, sample_time
from .recognition import NAMED, plausible, read_number, recognise

READ_BY_NAME = NAMED.name

_BY_NAME = {family.name: family for family in FAMILIES}
_HEAD = frozenset(rule.id for rule in HEAD)
_SERIAL = re.compile(r"[A-Za-z0-9-]{8,}")
type Meaning = tuple[tuple[Key, Value | bool], ...]
_STATUS = (BatteryStatus.SLEEPING, BatteryStatus.CHARGING, BatteryStatus.DISCHARGING, BatteryStatus.IDLE)


def decode(data: Any, known_family: str | None = None, sign: int | None = None) -> Reading:
    """Decode the `data` of one `realTime/data` answer, whatever it is. Never raises.

    Args:
        data: the answer.
        known_family: what the device was last recognised as; it stays that until its points clearly say another.
        sign: for a device that is read by name: 1 where its current is positive while discharging, else -1. Without it
            such a device shows neither current nor power.
    """
    points = read_points(data)
    match = recognise(points, family_by_name(known_family))
    if match is None:
        return Reading(unknown=tuple(point for point in points if point.id not in _HEAD))
    family = match.family
    sample = _Sample()
    sample.use(family, points, match.rules)
    sampled_at = sample_time(sample.texts.get(Kind.SAMPLE_TIME, ""))
    if sample.is_blank:
        return Reading(family=family.name, sampled_at=sampled_at, implausible=tuple(points))
    sign = sign if family is NAMED else family.current_sign
    derive(family, sign, sample.values, sample.flags, cells=sample.cells, holes=sample.holes)
    if sampled_at:
        sample.values[Key.LAST_REPORT] = sampled_at
    listed = map(str.strip, sample.texts.get(Kind.SERIALS, "").split(","))
    return Reading(
        family=family.name,
        values=sample.values,
        flags=sample.flags,
        attributes=alarm_attributes(sample.values, sample.flags),
        sampled_at=sampled_at,
        firmware=sample.texts.get(Kind.FIRMWARE),
        modules=tuple(dict.fromkeys(filter(_SERIAL.fullmatch, listed))),
        unknown=tuple(sample.unknown),
        implausible=tuple(sample.implausible),
        by_position=match.by_position,
    )


def decode_running(family_name: str | None, data: Mapping[str, Any]) -> dict[Key, Value]:
    """Return what the fields of `getLastRunningDataBySn` add to the points of a family (dyness-api 3.5)."""
    family = family_by_name(family_name)
    return _values(family.running, [{"pointId": name, "pointValue": data[name]} for name in data]) if family else {}


def decode_dongle(data: Any) -> dict[Key, Value]:
    """Return what `realTime/data` of a dongle says of its radio (dyness-api 6.4)."""
    return _values(DONGLE, data)


def family_by_name(name: str | None) -> Family | None:
    """Return the family with this name."""
    return _BY_NAME.get(name or "")


def _values(rules: Sequence[Rule], data: Any) -> dict[Key, Value]:
    """Return the values of rules that need no family."""
    by_id, points, sample = {rule.id: rule for rule in rules}, read_points(data), _Sample()
    sample.use(NAMED, points, [by_id.get(point.id) for point in points])
    return sample.values


@dataclass(kw_only=True, slots=True)
class _Sample:
    """What one sample has said so far."""

    values: dict[Key, Value] = field(default_factory=dict)
    fallbacks: dict[Key, Value] = field(default_factory=dict)
    """Values that count only where no better point gives them."""
    flags: dict[Key, bool] = field(default_factory=dict)
    texts: dict[Kind, str] = field(default_factory=dict)
    unknown: list[Point] = field(default_factory=list)
    implausible: list[Point] = field(default_factory=list)
    module_count: float = Kind.MODULES.high
    cells: int = 0
    """How many single cells there are; 0 where no point says it."""
    holes: set[Kind] = field(default_factory=set)
    """What of some cells or probes is not known."""
    is_blank: bool = False
    """Whether the battery or all of its single cells have no voltage, as in a device that has just restarted."""

    def use(self, family: Family, points: list[Point], rules: Sequence[Rule | None]) -> None:
        """Use each point once, by its rule."""
        lengths = self._count(family, points, rules)
        placeholders = {rule.id for series, length in lengths.items() for rule in series.rules[length:]}
        seen, has_no_voltage = set(placeholders), False
        for point, rule in zip(points, rules, strict=True):
            if rule is None or point.id in seen:
                if point.id not in placeholders:
                    self.unknown.append(point)
            elif rule.kind.is_text:
                seen.add(point.id)
                self.texts[rule.kind] = point.value
            elif (meaning := _meaning(rule, point.value, self.module_count)) is not None:
                seen.add(point.id)
                self._add(meaning, self.fallbacks if rule.fallback else self.values)
            elif (value := read_number(point.value)) is None:
                self.unknown.append(point)
            else:
                has_no_voltage |= rule.kind is Kind.BATTERY_VOLTAGE and value == 0
                self.implausible.append(point)
        self.values = self.fallbacks | self.values
        self.is_blank = has_no_voltage and Key.VOLTAGE not in self.values
        if family.series and self.values.keys().isdisjoint(CELL_VOLTAGES):
            rows = zip(points, rules, strict=True)
            cells = [read_number(point.value) for point, rule in rows if rule and rule.kind is Kind.CELL_VOLTAGE]
            self.is_blank |= bool(cells) and not any(cells)
        for series, length in lengths.items():
            if any(key not in self.values for keys in series.keys[:length] for key in keys):
                self.holes.add(series.kind)

    def _count(self, family: Family, points: list[Point], rules: Sequence[Rule | None]) -> dict[Series, int]:
        """Learn how many modules there are, and how many of each series are real."""
        counts: dict[str, int] = {}
        for point, rule in zip(points, rules, strict=True):
            if rule and point.id in family.count_ids:
                count = read_number(point.value)
                if count is not None and plausible(rule.kind, count):
                    counts.setdefault(point.id, int(count))
                    if rule.kind is Kind.MODULES:
                        self.module_count = counts[point.id]
        lengths = {}
        for series in family.series:
            length = counts.get(series.count_id, -1) - series.uncounted
            if length >= 0:
                lengths[series] = length
                if series.kind is Kind.CELL_VOLTAGE:
                    self.cells = length
            elif series.kind is Kind.LIMIT_STATE:
                lengths[series] = len(series.keys)
            else:
                # Behind the last that is not 0 are only placeholders.
                filled = {point.id for point in points if read_number(point.value)}
                lengths[series] = max((n for n, rule in enumerate(series.rules, 1) if rule.id in filled), default=0)
                if series.always_counted:
                    self.holes.add(series.kind)
        return lengths

    def _add(self, meaning: Meaning, values: dict[Key, Value]) -> None:
        """Take over what no point before has said. Any of the points that feed a flag turns it on."""
        for key, value in meaning:
            if value is True:
                self.flags[key] = True
            elif value is False:
                self.flags.setdefault(key, False)
            else:
                values.setdefault(key, value)


@lru_cache(maxsize=8192)  # most points say the same from sample to sample
def _meaning(rule: Rule, text: str, module_count: float) -> Meaning | None:
    """Return what a number says by its rule; None where it is none, or cannot be true."""
    kind, keys, value = rule.kind, rule.keys, read_number(text)
    if value is None or not plausible(kind, value) or (kind is Kind.MODULE and value > module_count):
        return None
    found: Sequence[tuple[Key | None, Value | bool]]
    if kind is Kind.FLAG or kind is Kind.ANY:
        found = [(keys[0], value != 0)]
    elif kind is Kind.LIMIT_STATE:
        found = [(key, value == state) for state, key in enumerate(keys, start=1)]
        if value > len(keys):
            found.append((Key.WARNING, True))
    elif kind is Kind.BITS:
        found = [(key, bool(int(value) >> bit & 1)) for bit, key in enumerate(keys)]
    elif kind is Kind.POSITION:
        module, place = divmod(int(value), 0x100)
        if module > module_count or not plausible(Kind.PLACE, place):
            return None
        found = list(zip(keys, (module, place), strict=True))
    elif kind is Kind.BATTERY_STATUS:
        status = int(value) & 7
        found = [(keys[0], _STATUS[status])] if status < len(_STATUS) else []
    else:
        found = [(keys[0], int(value) if kind.whole else value * rule.sign + 0)]  # never -0.0
    return tuple((key, value) for key, value in found if key)
