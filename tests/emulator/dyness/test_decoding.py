"""What the tests of emulated devices share: times, and points decoded by hand from dyness-api 6."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

DAWN = datetime(2026, 3, 23, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
DAY = [DAWN + STEP * number for number in range(289)]
MOMENTS = DAY[::36]
"""Nine of them, three hours apart"""


def values(device, now):
    points = device.points(now)
    found = {point["pointId"]: point["pointValue"] for point in points}
    assert len(found) == len(points), "an id stands twice"
    return found


def names(device, now):
    return {point["pointId"]: point["pointNameCn"] for point in device.points(now)}


def numbers(texts, table):
    """Decode the points of a table of keys by id that are there and not empty."""
    return {key: float(texts[point]) for point, key in table.items() if texts.get(point) not in (None, "")}


def singles(cells, warmth):
    """Give every cell (V) and every temperature of a module, and their extremes."""
    return (
        {f"cell_{place:02d}_voltage": cell for place, cell in enumerate(cells, 1)}
        | {f"cell_temperature_{place}": value for place, value in enumerate(warmth, 1)}
        | {
            "cell_voltage_max": max(cells),
            "cell_voltage_min": min(cells),
            "cell_voltage_max_cell": cells.index(max(cells)) + 1,
            "cell_voltage_min_cell": cells.index(min(cells)) + 1,
            "cell_voltage_spread": round((max(cells) - min(cells)) * 1000),
            "cell_temperature_max": max(warmth),
            "cell_temperature_min": min(warmth),
        }
    )


def assert_tells(device, now, decoded):
    """Every number of the truth that is decoded is that of the points, and everything decoded is in the truth."""
    truth = device.truth(now)
    wrong = {
        key: (truth.get(key), value)
        for key, value in decoded.items()
        if key not in truth or abs(float(truth[key]) - value) > 1e-6 + 1e-6 * abs(value)
    }
    assert not wrong, f"{device.serial} at {now}: (truth, points) {wrong}"


def integral(samples, key):
    """Integrate what five-minute samples show, in hours."""
    return sum((before[key] + after[key]) / 2 / 12 for before, after in pairwise(samples))


def moment(device, wanted, times=DAY):
    """Find a time at which the truth is as wanted."""
    return next(now for now in times if wanted(device.truth(now)))
