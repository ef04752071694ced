"""Measures everything, prints it, and writes it to docs/energy.md. Takes a quarter of an hour on two cores."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean, stdev

from ..benchmark.__main__ import table
from .errors import WAYS, Errors, Measured, measure, pooled
from .houses import DAYS, GLITCH, HOUSES
from .month import LAGGING, LOST

DOCUMENT = Path(__file__).parents[2] / "docs" / "energy.md"
MONTHS = 10
"""Of each house, each with other weather and other gaps."""
MONTH, MONTH_WITH_GAPS, SHARE_OF_DAYS, HOUR_MEAN, HOUR_MOST = 0.005, 0.015, 0.95, 25.0, 150.0
"""What is aimed at: shares, and Wh."""


def percent(errors: Errors, most: float | None = None) -> str:
    """Write the mean and the largest error of months, in bold where one is above `most`."""
    found = errors.of_months
    text = f"{fmean(found):.2%} ({max(found):.2%})"
    return f"**{text}**" if most is not None and max(found) > most else text


def signed(errors: Errors) -> str:
    """Write what months have too much on average, and how sure that is."""
    both = [
        f"{fmean(found):+.2%} ± {stdev(found) / len(found) ** 0.5:.2%}" for found in zip(*errors.months, strict=True)
    ]
    return " / ".join(both).replace("-", "−")


def share_of_days(errors: Errors, *, is_ours: bool = True) -> str:
    """Write it, in bold where it is too small."""
    text = f"{errors.right_days:.1%}"
    return f"**{text}**" if is_ours and errors.right_days < SHARE_OF_DAYS else text


def wh(errors: Errors, kind: str, *, mean: float | None = None, most: float | None = None) -> str:
    """Write mean and 95th percentile of some hours, in bold where one is above what is aimed at."""
    if not errors.hours[kind]:
        return "–"
    found = errors.hourly(kind)
    text = f"{found[0]:.0f} / {found[1]:.0f}"
    is_above = (mean is not None and found[0] > mean) or (most is not None and found[1] > most)
    return f"**{text}**" if is_above else text


def months_table(measured: dict[str, Measured]) -> str:
    """Write the errors of months."""
    return table(
        *(
            {"": name, "calm, without gaps": percent(found.calm, MONTH)}
            | {"without gaps": percent(found.without, MONTH), "one minute in five": percent(found.sampled)}
            | {"with gaps": percent(found.with_gaps["ours"], MONTH_WITH_GAPS)}
            | {WAYS[way]: percent(found.with_gaps[way]) for way in ("held", "integral")}
            for name, found in measured.items()
        )
    )


def signs_table(measured: dict[str, Measured]) -> str:
    """Write to which side months are wrong."""
    return table(
        *(
            {"": name, "calm, without gaps": signed(found.calm), "without gaps": signed(found.without)}
            | {"with gaps": signed(found.with_gaps["ours"])}
            for name, found in measured.items()
        )
    )


def days_table(measured: dict[str, Measured]) -> str:
    """Write which share of the days is right."""
    return table(
        *(
            {"": name, "calm, without gaps": share_of_days(found.calm), "without gaps": share_of_days(found.without)}
            | {"one minute in five": share_of_days(found.sampled, is_ours=False)}
            | {"with gaps": share_of_days(found.with_gaps["ours"])}
            | {WAYS[way]: share_of_days(found.with_gaps[way], is_ours=False) for way in ("bare", "held", "integral")}
            for name, found in [*measured.items(), ("all", pooled(measured.values()))]
        )
    )


def hours_table(measured: dict[str, Measured]) -> str:
    """Write the errors of hours."""
    rows = []
    for name, found in measured.items():
        ours = found.with_gaps["ours"]
        live = ours.hourly("live")
        limits = {"mean": min(HOUR_MEAN, live[0]), "most": min(HOUR_MOST, live[1])}
        rows.append(
            {"": name, "live": wh(ours, "live"), "hours": f"{len(ours.hours['told']) // 2}"}
            | {"completed": wh(ours, "told", **limits)}
            | {WAYS[way]: wh(found.with_gaps[way], "told") for way in ("bare", "held", "integral")}
            | {"other hours": f"{len(ours.hours['untold']) // 2}", "their error": wh(ours, "untold")}
        )
    return table(*rows)


def main() -> None:
    """Measure and write."""
    months = [(name, weather) for name in HOUSES for weather in range(1, MONTHS + 1)]
    with ProcessPoolExecutor() as processes:
        found = list(zip(months, processes.map(measure, *zip(*months, strict=True)), strict=True))
    measured = {name: pooled(one for (of, _), one in found if of == name) for name in HOUSES}
    text = (Path(__file__).parent / "energy.txt").read_text(encoding="utf-8")
    text = text.format(
        months=months_table(measured),
        signs=signs_table(measured),
        days=days_table(measured),
        hours=hours_table(measured),
        days_of_month=DAYS,
        months_of_gaps=MONTHS,
        lagging=LAGGING,
        lost=LOST,
        zeros=GLITCH,
        month=MONTH,
        month_with_gaps=MONTH_WITH_GAPS,
    )
    print(text)  # noqa: T201
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
