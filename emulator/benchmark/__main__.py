"""Measures everything once, prints it, and writes it to docs/performance.md. Takes some minutes on two cores."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
import platform
from statistics import fmean
from typing import Any

from homeassistant.const import __version__

from .freshness import INSTALLATIONS, Figures, measure, measure_fleet
from .processor import compare, decoding

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
TEXT = """\
# Performance

Written by `scripts/benchmark`: the real integration in a real Home Assistant, whose time is simulated, with batteries
that upload every five minutes. A sample can be read 20 s after it was taken, and an answer takes 0.3 s.

## Age of the data

Six hours at the default ceiling of 120 calls an hour, without the first ten minutes. *Least* is the mean age with each
sample shown as soon as it can be read: half a period and the way to the cloud, at one call per upload. Other ages are
multiples of that: the mean, and the 95th percentile of that of the least; *blind* is polling every five minutes. Of
eight phases of the uploads against the start each figure is the worst, with the mean of the phases in brackets.
Uploads that are *late* take 20 to 40 s, *drifting* ones come every 303 s, *jittering* ones up to 40 s too early or too
late. *Gone* is how often anything was seen unavailable. A pack is a master with one module.

{freshness}

13 modules would take 170 calls an hour at best: each is read with two of three samples, which cannot be below 1.6.
When uploads jitter, asking earlier would take more calls.

A fleet of 100 batteries with 3 modules each at a ceiling of 3,600 calls an hour, for two hours and a restart:

{fleet}

The longest slice of the event loop, set-up and restart included, took {slice:.0f} ms (`{slowest}`).

## Processor time

Microseconds for one poll, from the timer to the last state. *Bare* is a `DataUpdateCoordinator` that takes the numbers
of the same answers and shows the same states in the same run: no families, energies, schedule or signatures.

{processor}

Decoding takes {decoding:.2f} µs per point (the slowest, {slowest_family}: {slowest_decoding:.2f} µs).

Measured with Home Assistant {version} on Python {python}.
"""
POLLS: dict[str, tuple[str, dict[str, Any]]] = {
    "1 pack": ("dl5-1", {}),
    "13 modules of 30 cells, all cells shown": ("tower-13", {"single_cells": True}),
    "13 modules of 30 cells, no cells shown": ("tower-13", {}),
}


def table(*rows: dict[str, str]) -> str:
    """Write a table."""
    lines = [[*rows[0]], ["---"] * len(rows[0]), *([*row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cells(accounts: list[Figures]) -> dict[str, str]:
    """Write the figures of accounts that differ in the phase only."""
    cells = {}
    for name in accounts[0]:
        figures = [account[name] for account in accounts]
        is_whole = name in ("least", "gone", "calls an hour")
        cells[name] = f"{fmean(figures):.0f}" if is_whole else f"{max(figures):.2f} ({fmean(figures):.2f})"
    return cells


def main() -> None:
    """Measure ages on both cores, and processor time when they are quiet."""
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        fleet_job = pool.submit(measure_fleet)
        ages = dict(zip(INSTALLATIONS, pool.map(measure, INSTALLATIONS), strict=True))
        fleet, (longest, slowest) = fleet_job.result()
    polls = {what: compare(name, **options) for what, (name, options) in POLLS.items()}
    per_point = decoding()
    slowest_family = max(per_point, key=per_point.__getitem__)
    text = TEXT.format(
        freshness=table(
            *(
                {"": installation, "uploads": pattern} | cells(accounts)
                for installation, patterns in ages.items()
                for pattern, accounts in patterns.items()
            )
        ),
        fleet=table({name: f"{figure:.4g}" for name, figure in fleet.items()}),
        slice=longest * 1000,
        slowest=slowest,
        processor=table(
            *(
                {"": what, "bare": f"{bare:.0f}", "this integration": f"{ours:.0f}", "ratio": f"{ours / bare:.2f}"}
                for what, (ours, bare) in polls.items()
            )
        ),
        decoding=fmean(per_point.values()),
        slowest_family=slowest_family,
        slowest_decoding=per_point[slowest_family],
        version=__version__,
        python=platform.python_version(),
    )
    print(text)  # noqa: T201
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
