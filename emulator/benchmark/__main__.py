"""Measures everything once, prints it, and writes it to docs/performance.md. Takes some minutes on two cores."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
import platform
from statistics import fmean

from homeassistant.const import __version__

from .freshness import (
    FLEET,
    FLEET_CEILING,
    FLEET_HOURS,
    HOURS,
    INSTALLATIONS,
    PHASES,
    Freshness,
    measure,
    measure_fleet,
)
from .processor import compare, decoding

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
TEXT = """\
# Performance

Written by `scripts/benchmark`: the real integration in a real Home Assistant, whose time is simulated, against batteries
that upload every five minutes. A sample can be read 20 s after it was taken, and an answer takes 0.3 s.

## Age of the data

{hours} hours at the default ceiling of 120 calls an hour, without the first ten minutes; of {phases} phases of the uploads
against the start the worst, with the mean of the phases in brackets. *Least* is the mean age with every sample shown as
soon as it can be read (half a period and the way to the cloud, one call per upload). All other ages are multiples of the
least possible; *blind* is polling every five minutes. *Late* are uploads that take 20 to 40 s, *drifting* ones that come
every 303 s, *jittering* ones that come up to 40 s too early or too late. *Gone* counts modules and masters that were ever
unavailable. A pack is a master with one module.

| | uploads | least | blind | master, mean | 95th percentile | calls per upload | modules, mean | 95th percentile | gone | calls an hour |
|---|---|---|---|---|---|---|---|---|---|---|
{freshness}

13 modules would take 170 calls an hour: each is read with two of three samples, which cannot be below 1.6. Uploads that
jitter are asked for when nearly all of them are there: to be earlier takes more calls.

A fleet of {fleet} batteries with 3 modules each, at a ceiling of {ceiling} calls an hour, for {fleet_hours} hours:
masters {fleet_mean:.2f} times the least (95th percentile {fleet_percentile:.2f}), {fleet_calls:.2f} calls per upload, \
{fleet_gone} gone.
The longest slice of the event loop, set-up and restart included, took {slice:.0f} ms (`{slowest}`).

## Processor time

Microseconds of one poll, from the timer to the last state. *Bare* is a `DataUpdateCoordinator` that takes the numbers of
the same answers and shows the same states in the same run, without families, energies, schedule or signatures.

| | entities per device | bare | this integration | ratio |
|---|---|---|---|---|
{processor}

Decoding takes {decoding:.2f} µs per point (the slowest, {slowest_family}: {slowest_decoding:.2f} µs).

Measured with Home Assistant {version}, Python {python}.
"""
MACHINES = {
    "1 pack": ("dl5-1", {}),
    "13 modules of 30 cells, all cells shown": ("tower-13", {"single_cells": True}),
    "13 modules of 30 cells, no cells shown": ("tower-13", {}),
}


def row(*cells: object) -> str:
    """Write a row of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def _worst(found: list[Freshness], name: str) -> str:
    values = [getattr(one, name) for one in found]
    return f"{max(values):.2f} ({fmean(values):.2f})"


def _freshness(installation: str, pattern: str, found: list[Freshness]) -> str:
    least, polled, calls = (
        fmean(getattr(one, name) for one in found) for name in ("least", "polled", "calls_per_hour")
    )
    names = ("mean", "percentile", "calls_per_upload", "modules_mean", "modules_percentile")
    worst = [_worst(found, name) for name in names]
    gone = sum(one.gone for one in found)
    return row(installation, pattern, f"{least:.0f} s", f"{polled:.2f}", *worst, gone, f"{calls:.0f}")


def main() -> None:
    """Measure ages on all cores, and processor time when they are quiet."""
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        fleet_job = pool.submit(measure_fleet)
        jobs = {installation: pool.submit(measure, installation) for installation in reversed(INSTALLATIONS)}
        fleet, slices = fleet_job.result()
        found = {installation: jobs[installation].result() for installation in INSTALLATIONS}
    polls = {what: compare(name, **options) for what, (name, options) in MACHINES.items()}
    per_point = decoding()
    slowest_family = max(per_point, key=per_point.__getitem__)
    text = TEXT.format(
        hours=HOURS,
        phases=PHASES,
        freshness="\n".join(
            _freshness(installation, pattern, accounts)
            for installation, patterns in found.items()
            for pattern, accounts in patterns.items()
        ),
        fleet=FLEET,
        ceiling=FLEET_CEILING,
        fleet_hours=FLEET_HOURS,
        fleet_mean=fleet.mean,
        fleet_percentile=fleet.percentile,
        fleet_calls=fleet.calls_per_upload,
        fleet_gone=fleet.gone,
        slice=slices.longest * 1000,
        slowest=slices.slowest,
        processor="\n".join(
            row(what, f"{poll.entities:.0f}", f"{poll.bare:.0f}", f"{poll.ours:.0f}", f"{poll.ours / poll.bare:.2f}")
            for what, poll in polls.items()
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
