"""Answers as no cloud has sent them yet, made of all that are known: `python -m tests.telemetry.dyness.hostile`.

Each variant changes what an answer looks like, or takes something away. Whatever is still shown must be what the
device measured, and what the variant still holds must be shown.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
import json
from pathlib import Path
from random import Random
import sys
from typing import Any

from custom_components.dyness_atess.telemetry.dyness.decoder import READ_BY_NAME, decode, family_by_name
from custom_components.dyness_atess.telemetry.dyness.families.words import SIMPLIFIED, TRADITIONAL
from custom_components.dyness_atess.telemetry.dyness.family import Kind
from custom_components.dyness_atess.telemetry.dyness.names import BY_NAME, normalised
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import CELL_VOLTAGES, PROBE_TEMPERATURES, Key
from emulator.dyness.catalogue import CATALOGUE, build

PAYLOAD = Path(__file__).parents[3] / "emulator" / "dyness" / "payloads" / "powerhaus.json"
MOMENTS = [datetime(2026, 3, 23, 5, tzinfo=UTC) + timedelta(hours=5, minutes=20) * number for number in range(5)]
RAISED = {"dl5-2": {"3203", "3406"}, "tower-t14": {"5001"}, "tower-pro-tp7": {"4402"}}
"""Alarm bits that are on."""
STEP = {"soc": 1.0, "energy_remaining": 0.006, "energy_rated": 0.006}
"""Half a step, where the truth has no steps or another one."""

type Points = list[dict[str, Any]]
type Variant = Callable[[Points, Random], None]


@dataclass
class Sample:
    """An answer, and what is true of it by our keys."""

    name: str
    points: Points
    reading: Reading
    truth: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take what the device says of itself in place of what was read, where it does."""
        read = self.reading.values | self.reading.flags
        single = {*CELL_VOLTAGES, *PROBE_TEMPERATURES} & read.keys() if self.truth else set()
        assert not (own := wrong(read, self.truth) + list(single - self.truth.keys())), (self.name, own)
        self.truth = {key: self.truth.get(key, value) for key, value in read.items()}


def wrong(shown: dict[Any, Any], truth: dict[str, Any]) -> list[str]:
    """Return what is not what it should be, of what both have."""
    return [key for key in shown if key in truth and not same(key, shown[key], truth[key])]


def same(key: str, shown: Any, true: Any) -> bool:
    """Whether a value is the true one, as exactly as the points can tell."""
    if isinstance(shown, datetime):
        true = datetime.fromisoformat(true) if isinstance(true, str) else true
        return bool(timedelta(0) <= shown - true < timedelta(seconds=1))
    if isinstance(shown, str | bool) or isinstance(true, str | bool):
        return bool(shown == true)
    return str(shown) != "-0.0" and abs(float(shown) - float(true)) <= STEP.get(key, 1e-6) + 1e-9 * abs(float(true))


def samples() -> Iterator[Sample]:
    """Give every recorded and emulated answer that anything can be read from."""
    recorded = json.loads(PAYLOAD.read_text(encoding="utf-8"))["points"]
    yield Sample("recorded", recorded, decode(recorded))
    for name in CATALOGUE:
        for master in build(name, **({"raised": frozenset(RAISED[name])} if name in RAISED else {})):
            for device in (master, *list(master.modules)[:2]):
                for now in MOMENTS:
                    points = device.points(now)
                    reading = decode(points, sign=-1)
                    if not reading.empty:
                        truth = dict(device.truth(now))
                        if Key.CAPACITY_FULL in truth:
                            truth.pop("charge_current_limit"), truth.pop("discharge_current_limit")
                        yield Sample(f"{name}/{device.serial}", points, reading, truth)


def rename(change: Callable[[str, Random], str]) -> Variant:
    """Change every name."""

    def variant(points: Points, random: Random) -> None:
        for point in points:
            point["pointNameCn"] = change(point["pointNameCn"], random)

    return variant


def in_english(name: str, _random: Random) -> str:
    """Name a point as somebody would who translates."""
    meant = BY_NAME.get(normalised(name))
    return meant.keys[0].replace("_", " ").capitalize() if meant and meant.keys and meant.keys[0] else "Field"


def with_unit(name: str, _random: Random) -> str:
    """Write the unit behind a name."""
    units = {"voltage": "V", "current": "A", "temperature": "℃", "soc": "%", "soh": "%", "energy": "kWh"}
    meant = BY_NAME.get(normalised(name))
    return f"{name}（{units[meant.kind.quantity]}）" if meant and meant.kind.quantity in units else name


def wide(name: str, random: Random) -> str:
    """Write a name in wide capitals, with a space somewhere."""
    place = random.randrange(len(name) + 1)
    name = f" {name[:place]} {name[place:]}".upper()
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in name)


def as_numbers(points: Points, _random: Random) -> None:
    """Send numbers as numbers, ids too."""
    for point in points:
        for name in ("pointId", "pointValue"):
            if is_number(text := point[name]):
                point[name] = float(text) if "." in text else int(text)


def is_number(text: str | None) -> bool:
    """Whether a text is a plain number."""
    return bool(text and text.removeprefix("-").replace(".", "", 1).isdigit())


def strangers(points: Points, random: Random) -> None:
    """Add points that nobody knows, some of which look like others."""
    for number in range(8):
        stranger = {
            "pointId": f"77{number}",
            "pointValue": "54",
            "pointNameCn": random.choice(["", "新", *OTHER_NAMES]),
        }
        points.insert(random.randrange(len(points) + 1), stranger)


def duplicates(points: Points, random: Random) -> None:
    """Send points a second time, with other values."""
    filled = [point for point in points if point["pointValue"]]
    points += [point | {"pointValue": str(random.randrange(2, 90))} for point in random.sample(filled, 3)]


def zones(points: Points, random: Random) -> None:
    """Write the time in another form."""
    for point in points:
        if point["pointId"] == "T":
            there = (datetime.fromisoformat(point["pointValue"]) + timedelta(hours=2)).isoformat()
            point["pointValue"] = there + random.choice(["+02:00", ".250+0200", " UTC+02:00"])


def shuffle(points: Points, random: Random) -> None:
    """Send the points in any order."""
    random.shuffle(points)


COLON = rename(lambda name, random: name + random.choice([":", "："]))
LOOKS: dict[str, list[Variant]] = {
    "order": [shuffle],
    "types": [as_numbers],
    "names missing": [rename(lambda name, random: "")],
    "names in part": [rename(lambda name, random: random.choice([name, ""]))],
    "names in English": [rename(in_english)],
    "names with a colon": [COLON],
    "names with a unit": [rename(with_unit)],
    "names traditional": [rename(lambda name, random: name.translate(str.maketrans(SIMPLIFIED, TRADITIONAL)))],
    "names wide": [rename(wide)],
    "strangers": [strangers],
    "duplicates": [duplicates],
    "times": [zones],
    "unit, colon, strangers, order, types": [rename(with_unit), COLON, strangers, shuffle, as_numbers],
}
"""They take nothing away, but the three with other names from a model that is read by name."""

FILLERS = ("255", "6553.5", "65535", "-3276.8")
NOTHING = ("", None, "--", "null", "N/A")
OTHER_NAMES = ("舱内湿度", "绝缘电阻", "频率", "Humidity", "版本", "最大单体内阻")


def lose(sample: Sample, points: Points, random: Random) -> tuple[str, set[str]]:
    """Take a few points away in one of the ways; return which way, and the ids."""
    family = family_by_name(sample.reading.family)
    way = random.choice(["fillers", "holes", "other quantities"])
    # Where no point counts the probes, nobody can tell that the last one is missing.
    counted = {"14200"} & {point["pointId"] for point in points}
    untold = {"T", "SUB", "TIME", *(counted or {str(14300 + 100 * probe) for probe in range(8)})}
    chosen = [point for point in points if point["pointId"] not in untold]
    chosen = random.sample(chosen, min(len(chosen), random.choice([1, 3, 8])))
    for point in chosen:
        if way == "fillers":
            rule = family.by_id.get(point["pointId"]) if family else BY_NAME.get(normalised(point["pointNameCn"]))
            # 255 can be a number of cycles, or a voltage.
            cannot_be = FILLERS if rule and (rule.kind.high < 255 or rule.kind is Kind.ANY) else FILLERS[1:]
            point["pointValue"] = random.choice(cannot_be + NOTHING)
        elif way == "holes":
            points.remove(point)
        else:
            point |= {"pointValue": "54", "pointNameCn": random.choice(OTHER_NAMES)}
    return way, {point["pointId"] for point in chosen}


FOLLOW: dict[str, set[str]] = {
    "current": {"power", "status", "charging", "battery_status"},
    "voltage": {"power"},
    "cell_voltage_max": {"cell_voltage_spread"},
    "cell_voltage_min": {"cell_voltage_spread"},
    "capacity_full": {"soc", "energy_rated", "energy_remaining"},
    "capacity_remaining": {"soc", "energy_remaining"},
}


def gone(sample: Sample, ids: set[str], points: Points) -> set[str]:
    """Return the keys that nobody can tell any more without some points."""
    family = family_by_name(sample.reading.family)
    if family is None:
        rules = [BY_NAME.get(normalised(point["pointNameCn"])) for point in sample.points if point["pointId"] in ids]
        keys = {str(key) for rule in rules if rule for key in rule.keys}
    else:
        keys = {str(key) for point in ids if point in family.by_id for key in family.by_id[point].keys}
        if any(point in family.by_id and family.by_id[point].kind is Kind.BITS for point in ids):
            keys |= {"alarm", "warning"}
        for series in family.series:
            if series.count_id in ids:
                keys |= {str(key) for each in series.keys for key in each} | FOLLOW["capacity_full"] - {"soc"}
    for singles, what in ((CELL_VOLTAGES, "cell_voltage"), (PROBE_TEMPERATURES, "cell_temperature")):
        if keys & set(singles):
            keys |= {f"{what}_{end}" for end in ("max", "min")}
            keys |= {f"{what}_{end}_{place}" for end in ("max", "min") for place in ("cell", "sensor")}
    for key in tuple(keys):
        keys |= FOLLOW.get(key, set())
    return keys


@dataclass
class Tally:
    """What was found."""

    variants: int = 0
    compared: int = 0
    mistaken: list[tuple[str, ...]] = field(default_factory=list)
    missing: Counter[tuple[str, str]] = field(default_factory=Counter)
    expected: int = 0

    def judge(self, sample: Sample, way: str, reading: Reading, lost: set[str]) -> None:
        """Compare a reading with the truth; what is lost may be missing, and bits that are lost cannot be summed."""
        self.variants += 1
        shown = {str(key): value for key, value in (reading.values | reading.flags).items()}
        if reading.family not in (sample.reading.family, READ_BY_NAME, None):
            self.mistaken.append((sample.name, way, f"read as {reading.family}"))
        if any(sample.truth.get(key) is True for key in lost):
            shown = {key: value for key, value in shown.items() if key not in (Key.ALARM, Key.WARNING)}
            lost = lost | {"alarm", "warning"}
        self.compared += len(shown)
        if "power" in lost:
            # Voltage x current instead, of which each has its steps.
            shown.pop(Key.POWER, None)
        known = sample.truth
        self.mistaken += [(sample.name, way, f"{key}: {shown[key]} for {known[key]}") for key in wrong(shown, known)]
        self.mistaken += [(sample.name, way, f"{key}: {shown[key]}") for key in shown if key not in known]
        held = known.keys() - lost
        self.expected += len(held)
        self.missing.update((way, key) for key in held - shown.keys())


def run(values: int, seed: int = 1) -> Tally:
    """Compare at least so many values."""
    random, tally = Random(seed), Tally()  # noqa: S311
    for sample in cycle(samples()):
        remembered = random.choice([None, sample.reading.family])
        for way, changes in LOOKS.items():
            points = [dict(point) for point in sample.points]
            for change in changes:
                change(points, random)
            by_name = sample.reading.family == READ_BY_NAME and way in (
                "names missing",
                "names in part",
                "names in English",
            )
            lost = set(sample.truth) if by_name else set()
            tally.judge(sample, way, decode(points, remembered, sign=-1), lost)
        for _ in range(3):
            points = [dict(point) for point in sample.points]
            way, ids = lose(sample, points, random)
            family = family_by_name(sample.reading.family)
            # Without what makes it a family nothing can be told, unless the device is remembered.
            everything = family and ids & family.essential and (remembered is None or way == "other quantities")
            lost = set(sample.truth) if everything else gone(sample, ids, points)
            tally.judge(sample, way, decode(points, remembered, sign=-1), lost)
        zeros(sample, tally)
        if tally.compared >= values:
            return tally
    raise AssertionError


def zeros(sample: Sample, tally: Tally) -> None:
    """A device that has just restarted says nothing."""
    points = [dict(point) for point in sample.points]
    for point in points:
        if is_number(point["pointValue"]):
            point["pointValue"] = "0"
    reading = decode(points, sample.reading.family, sign=-1)
    tally.variants += 1
    if not reading.empty:
        tally.mistaken.append((sample.name, "zeros", str(reading.values)[:200]))


if __name__ == "__main__":
    found = run(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
    lost = sum(found.missing.values())
    print(f"{found.variants} variants, {found.compared} values, {len(found.mistaken)} wrong")  # noqa: T201
    print(f"{lost} of {found.expected} missing: {found.missing.most_common(40)}")  # noqa: T201
    for line in found.mistaken[:40]:
        print(line)  # noqa: T201
