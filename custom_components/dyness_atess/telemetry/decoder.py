"""From points to a Reading, with the table of the family that the points show themselves to be of."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from .families import FAMILIES
from .family import BOUNDS, Family, Kind, Rule
from .points import Point, number, read_points
from .reading import Reading, Value
from .vocabulary import PROTECTIONS, WARNINGS, Key, Status


def decode(data: Any) -> Reading:
    """Decode the `data` of one `realTime/data` answer, whatever it is. Never raises."""
    points = read_points(data)
    family = recognise(points)
    return _Decoder(family).decode(points) if family else Reading(unknown=tuple(points))


def recognise(points: Iterable[Point]) -> Family | None:
    """Return the family whose table fits the ids and vendor names of `points`.

    Ids collide between families (dyness-api 6.0), so a known id under another name speaks against a family.
    """
    points = list(points)
    best, best_score = None, 0
    for family in FAMILIES:
        fitting = {point.id for point in points if family.rule_for(point)}
        conflicting = {point.id for point in points if point.id in family.by_id} - fitting
        score = len(fitting) - len(conflicting)
        if family.essential <= fitting and score > best_score:
            best, best_score = family, score
    return best


class _Decoder:
    """The state of decoding one sample."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.values: dict[Key, Value] = {}
        self.flags: dict[Key, bool] = {}
        self.sampled_at: datetime | None = None
        self.firmware: str | None = None
        self.modules: tuple[str, ...] = ()
        self.implausible: list[Point] = []

    def decode(self, points: list[Point]) -> Reading:
        """Use each point once; what no rule uses is kept as unknown."""
        unknown = []
        seen = set()
        for point in points:
            rule = None if point.id in seen else self.family.rule_for(point)
            if rule is None or not self._use(rule, point):
                unknown.append(point)
            else:
                seen.add(point.id)
        self._derive()
        return Reading(
            family=self.family.name,
            values=self.values,
            flags=self.flags,
            sampled_at=self.sampled_at,
            firmware=self.firmware,
            modules=self.modules,
            unknown=tuple(unknown),
            implausible=tuple(self.implausible),
        )

    def _use(self, rule: Rule, point: Point) -> bool:
        """Take the value over. False where its text is not of the rule's kind."""
        match rule.kind:
            case Kind.UNUSED:
                return True
            case Kind.SAMPLE_TIME:
                self.sampled_at = sample_time(point.value)
                return self.sampled_at is not None
            case Kind.FIRMWARE:
                self.firmware = point.value
                return True
            case Kind.SERIALS:
                self.modules = tuple(dict.fromkeys(filter(None, map(str.strip, point.value.split(",")))))
                return True
        value = number(point.value)
        if value is None:
            return False
        if rule.kind is Kind.FLAG:
            self.flags[rule.keys[0]] = value != 0
        elif not _plausible(rule.kind, value):
            self.implausible.append(point)
        elif rule.kind is Kind.POSITION:
            for key, part in zip(rule.keys, divmod(int(value), 0x100), strict=True):
                self.values.setdefault(key, part)
        else:
            self.values[rule.keys[0]] = int(value) if rule.kind is Kind.COUNT else value
        return True

    def _derive(self) -> None:
        """Add what follows from the values of this same sample."""
        values, flags = self.values, self.flags
        if self.sampled_at:
            values[Key.LAST_REPORT] = self.sampled_at
        current, voltage = values.get(Key.CURRENT), values.get(Key.VOLTAGE)
        if isinstance(current, float | int):
            current = values[Key.CURRENT] = current * self.family.current_sign + 0.0  # never -0.0
            values[Key.STATUS] = (
                Status.IDLE
                if abs(current) < self.family.idle_current
                else Status.DISCHARGING
                if current > 0
                else Status.CHARGING
            )
            flags[Key.CHARGING] = values[Key.STATUS] == Status.CHARGING
            if isinstance(voltage, float | int):
                values[Key.POWER] = round(voltage * current, 1) + 0.0
        highest, lowest = values.get(Key.CELL_VOLTAGE_MAX), values.get(Key.CELL_VOLTAGE_MIN)
        if isinstance(highest, float | int) and isinstance(lowest, float | int):
            values[Key.CELL_VOLTAGE_SPREAD] = round((highest - lowest) * 1000)
        for total, bits in ((Key.WARNING, WARNINGS), (Key.ALARM, PROTECTIONS)):
            states = [flags[key] for key in (total, *bits) if key in flags]
            if states:
                flags[total] = any(states)


def sample_time(text: str) -> datetime | None:
    """Read a time stamp of the points, which is UTC and does not say so (dyness-api 9)."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _plausible(kind: Kind, value: float) -> bool:
    low, high = BOUNDS[kind]
    return low <= value <= high and (kind not in (Kind.COUNT, Kind.POSITION) or float(value).is_integer())
