"""Answers as no cloud has sent them yet, made of all that are known: no value is wrong, and none is missing.

A look changes what an answer looks like; it still says all that the device measured. A loss takes points away, or puts
something else in their place; whatever is shown then must still be what the device measured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from custom_components.dyness_atess.telemetry.dyness.decoder import READ_BY_NAME, decode, family_by_name
from custom_components.dyness_atess.telemetry.dyness.families.words import SIMPLIFIED, TRADITIONAL
from custom_components.dyness_atess.telemetry.dyness.family import Kind
from custom_components.dyness_atess.telemetry.dyness.names import BY_NAME, normalised
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import CELL_VOLTAGES, PROBE_TEMPERATURES, Key
from emulator.dyness.catalogue import CATALOGUE, build

MORNING = datetime(2026, 3, 23, 5, tzinfo=UTC)
RAISED = {"dl5-2": {"3203", "3406"}, "tower-t14": {"5001"}, "tower-pro-tp7": {"4402"}}
"""Alarm bits that are on."""
STEP = {"soc": 1.0, "energy_remaining": 0.006, "energy_rated": 0.006}
"""Half a step, where the truth has no steps or another one."""

type Points = list[dict[str, Any]]


@dataclass(frozen=True)
class Sample:
    """An answer, its family, and what the device says of itself, by our keys."""

    points: Points
    family: str | None
    truth: dict[str, Any]

    def copy(self) -> Points:
        return [dict(point) for point in self.points]

    def mistakes(self, reading: Reading, *without: str) -> list[object]:
        """Return what is shown and not so."""
        shown = {key: value for key, value in shown_by(reading).items() if key not in without}
        wrong = [key for key, value in shown.items() if key not in self.truth or not same(key, value, self.truth[key])]
        is_another = reading.family not in (self.family, READ_BY_NAME, None)
        return [*wrong, *[reading.family] * is_another]


def shown_by(reading: Reading) -> dict[str, Any]:
    return {str(key): value for key, value in (reading.values | reading.flags).items()}


def same(key: str, shown: Any, true: Any) -> bool:
    """Whether a value is the true one, as exactly as the points can tell."""
    if isinstance(shown, datetime):
        true = datetime.fromisoformat(true) if isinstance(true, str) else true
        return bool(timedelta(0) <= shown - true < timedelta(seconds=1))
    if isinstance(shown, str | bool) or isinstance(true, str | bool):
        return bool(shown == true)
    return str(shown) != "-0.0" and abs(float(shown) - float(true)) <= STEP.get(key, 1e-6) + 1e-9 * abs(float(true))


def sample_of(device: Any, now: datetime) -> Sample | None:
    """Return an answer that anything can be read from; what the device does not say of itself is taken as read."""
    points = device.points(now)
    reading = decode(points, sign=-1)
    if reading.empty:
        return None
    read, own = shown_by(reading), dict(device.truth(now))
    if Key.CAPACITY_FULL in own:  # a module's limits are parameters
        del own["charge_current_limit"], own["discharge_current_limit"]
    assert not {*CELL_VOLTAGES, *PROBE_TEMPERATURES} & read.keys() - own.keys()
    assert all(same(key, value, own[key]) for key, value in read.items() if key in own), device.serial
    return Sample(points, reading.family, {key: own.get(key, value) for key, value in read.items()})


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Every master of the catalogue and two of its modules, at some time of the day."""
    found = []
    for number, name in enumerate(CATALOGUE):
        now = MORNING + number % 5 * timedelta(hours=5, minutes=20)
        for master in build(name, **({"raised": frozenset(RAISED[name])} if name in RAISED else {})):
            found += [sample_of(device, now) for device in (master, *list(master.modules)[:2])]
    return [sample for sample in found if sample]


type Look = Callable[[Points, Random], None]


def rename(change: Callable[[str, Random], str]) -> Look:
    """Change every name."""

    def look(points: Points, random: Random) -> None:
        for point in points:
            point["pointNameCn"] = change(point["pointNameCn"], random)

    return look


def in_english(name: str, _random: Random) -> str:
    """Name a point as somebody would who translates."""
    meant = BY_NAME.get(normalised(name))
    return meant.keys[0].replace("_", " ").capitalize() if meant and meant.keys and meant.keys[0] else "Field"


def with_unit(name: str, _random: Random) -> str:
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
    return bool(text and text.removeprefix("-").replace(".", "", 1).isdigit())


def strangers(points: Points, random: Random) -> None:
    """Add points that nobody knows, some of which look like others."""
    for number in range(8):
        stranger = {"pointId": f"77{number}", "pointValue": "54", "pointNameCn": random.choice(["", "新", *OTHERS])}
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
    random.shuffle(points)


OTHERS = ("舱内湿度", "绝缘电阻", "频率", "Humidity", "版本", "最大单体内阻")
"""Names of other quantities."""
COLON = rename(lambda name, random: name + random.choice([":", "："]))
LOOKS: dict[str, list[Look]] = {
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


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("look", LOOKS)
def test_looks(samples: list[Sample], look: str, *, is_known: bool) -> None:
    random = Random(look)  # noqa: S311
    for sample in samples:
        points = sample.copy()
        for change in LOOKS[look]:
            change(points, random)
        reading = decode(points, sample.family if is_known else None, sign=-1)
        assert not sample.mistakes(reading)
        # Who is read by name needs it.
        if sample.family != READ_BY_NAME or look not in ("names missing", "names in part", "names in English"):
            assert shown_by(reading).keys() == sample.truth.keys()


def lose(sample: Sample, points: Points, random: Random, loss: str) -> None:
    """Take a few points away, or put something else in their place."""
    family = family_by_name(sample.family)
    # Where no point counts the probes, nobody can tell that the last one is missing.
    counted = {"14200"} & {point["pointId"] for point in points}
    uncertain = {"T", "SUB", "TIME", *(counted or {str(14300 + 100 * probe) for probe in range(8)})}
    losable = [point for point in points if point["pointId"] not in uncertain]
    for point in random.sample(losable, min(len(losable), random.choice([1, 3, 8]))):
        rule = family.by_id.get(point["pointId"]) if family else BY_NAME.get(normalised(point["pointNameCn"]))
        if loss == "holes":
            points.remove(point)
        elif loss == "other quantities":
            point |= {"pointValue": "54", "pointNameCn": random.choice(OTHERS)}
        else:
            # 255 can be a number of cycles, or a voltage.
            can_be = rule and rule.kind.high >= 255 and rule.kind is not Kind.ANY
            fillers = ("6553.5", "65535", "-3276.8", "", None, "--", "null", "N/A", *(() if can_be else ("255",)))
            point["pointValue"] = random.choice(fillers)


@pytest.mark.parametrize("loss", ["fillers", "holes", "other quantities"])
def test_losses(samples: list[Sample], loss: str) -> None:
    """A sum of alarm bits may lack one then, and power be voltage times current."""
    random = Random(loss)  # noqa: S311
    for sample in samples * 5:
        points = sample.copy()
        lose(sample, points, random, loss)
        reading = decode(points, random.choice([None, sample.family]), sign=-1)
        assert not sample.mistakes(reading, "alarm", "warning", "power")


def test_a_device_that_has_just_restarted_says_nothing(samples: list[Sample]) -> None:
    for sample in samples:
        points = [point | ({"pointValue": "0"} if is_number(point["pointValue"]) else {}) for point in sample.points]
        assert decode(points, sample.family, sign=-1).empty
