"""What the work on one answer costs, in units of parsing the JSON of that answer in the same run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter

import orjson

from custom_components.dyness_atess.telemetry.atess.decoder import PbdDecoder
from custom_components.dyness_atess.telemetry.dyness.decoder import decode

from .atess.pbd import Pbd
from .dyness.catalogue import build

ROUNDS = 7
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


def seconds(work: Callable[[], object]) -> float:
    """Return the best of some rounds of 50 times `work`, for one time."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(50):
            work()
        best = min(best, perf_counter() - start)
    return best / 50


def report(name: str, content: object, work: Callable[[], object]) -> None:
    """Print one line."""
    text = orjson.dumps(content)
    unit = seconds(lambda: orjson.loads(text))
    print(f"{name:<32}{len(text):>8} bytes  decoding / parsing = {seconds(work) / unit:5.1f}")  # noqa: T201


def main() -> None:
    """Measure each family once."""
    for name in ("powerhaus", "junior-box", "powerbrick-sc", "tower-t14", "stack100-7s", "cygni", "future-low-voltage"):
        master = build(name)[0]
        points = master.points(NOW)
        report(name, points, lambda points=points: decode(points))  # type: ignore[misc]
        for module in master.modules[:1]:
            of_module = module.points(NOW)
            report(f"{name}, module", of_module, lambda points=of_module: decode(points))  # type: ignore[misc]
    strangers = [{"pointId": f"x{number}", "pointValue": str(number), "pointNameCn": "新"} for number in range(10_000)]
    report("10,000 unknown points", strangers, lambda: decode(strangers))
    record = Pbd(serial="DEMOPBD001").record(NOW)
    decoder = PbdDecoder()
    times = iter(range(10**9))
    report("pbd", record, lambda: decoder.decode(record, NOW + timedelta(seconds=next(times))))


if __name__ == "__main__":
    main()
