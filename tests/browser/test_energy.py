"""The Energy dashboard with a battery, its own dashboard, and a day with a hole before and after it was filled."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import re
import shutil
import subprocess
from typing import Any

from playwright.async_api import expect
import pytest

from emulator.dyness.catalogue import build
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.storage import Storage
from emulator.dyness.throughput import since_epoch
from emulator.household import REPOSITORY, Household, User, household
from tests.browser.frontend import SCREENSHOTS, Frontend, chromium

USER = User(name="Ada", username="ada", password="lovelace")
EVENING = 22
"""The hour of the day that it is where the battery stands; it was recorded from 5:50 to 20:10."""
SETTLING = 2000
"""Milliseconds until a picture no longer moves."""


@dataclass
class Day:
    """What the real recorder has of the hours until now, in simulated time."""

    utc_offset: int
    midnight: datetime
    databases: dict[str, Path]

    @property
    def device(self) -> Storage:
        """The battery that was recorded."""
        device: Storage = build("dl5-1", utc_offset=timedelta(hours=self.utc_offset))[0]
        return device

    def truth(self, first: float, last: float) -> tuple[float, float]:
        """What was charged and discharged between two hours of the day, kWh."""
        device, hours = self.device, (self.midnight + timedelta(hours=hour) for hour in (first, last))
        before, after = (since_epoch(device.battery, device.battery.local(hour)) for hour in hours)
        return tuple(kwh * device.kilowatt_hours for kwh in after.plus(before, -1)[1:3])  # type: ignore[return-value]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """A day with a hole, once as it stays and once filled, and a whole one."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    utc_offset = (EVENING - now.hour + 12) % 24 - 12
    directory = tmp_path_factory.mktemp("recorded")
    midnight = now - timedelta(hours=EVENING)
    day = Day(utc_offset, midnight, {fills: directory / f"{fills}.db" for fills in ("no", "yes", "whole")})
    record(day)
    return day


def record(day: Day) -> None:
    """Record it, in processes of their own: simulated time and the browser do not go together."""
    processes = []
    for fills, database in day.databases.items():
        begin = day.midnight + timedelta(hours=5, minutes=50)
        wishes = {"HOLE": str(database), "HOLE_BEGIN": begin.isoformat(), "HOLE_FILLS": fills}
        wishes["HOLE_UTC_OFFSET"] = str(day.utc_offset)
        # That of development, whichever Home Assistant shows it.
        python = REPOSITORY / ".venv" / "bin" / "python"
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/integration/record_hole.py"]
        processes.append(subprocess.Popen(command, env=os.environ | wishes, cwd=REPOSITORY))  # noqa: S603
    assert [process.wait() for process in processes] == [0] * len(processes)


@asynccontextmanager
async def living_with(
    database: Path, directory: Path, port: int, day: Day
) -> AsyncGenerator[tuple[Household, Frontend]]:
    """Open a home that has this past, in the zone of its battery."""
    shutil.copy(database, directory / "home-assistant_v2.db")
    async with household(directory, port) as home, chromium(home.url) as frontend:
        await home.log_in(USER)
        await home.call("config/core/update", time_zone=f"Etc/GMT{-day.utc_offset:+d}")
        language = {"language": "en", "number_format": "language", "time_format": "24", "time_zone": "server"}
        await home.call("frontend/set_user_data", key="language", value=language)
        await frontend.log_in(USER)
        yield home, frontend


async def choose(frontend: Frontend, label: str, name: str) -> None:
    """Choose a statistic of the battery by its name."""
    page = frontend.page
    picker = page.locator("dialog-energy-battery-settings ha-statistic-picker").filter(has_text=label)
    await picker.locator("ha-picker-field").click()
    items = page.locator("ha-combo-box-item:visible").filter(has=page.get_by_text(name, exact=True))
    await items.filter(has=page.get_by_text("DL5.0C", exact=True)).click()
    await expect(picker).to_contain_text(name)
    await expect(page.get_by_placeholder("Search").locator("visible=true")).to_have_count(0)


async def test_energy(tmp_path: Path, port: int, day: Day) -> None:
    cloud = DynessCloud(devices=[day.device])
    await cloud.start()
    async with living_with(day.databases["yes"], tmp_path, port, day) as (home, frontend):
        await home.add_dyness(cloud)
        page, dialog = frontend.page, frontend.page.locator("dialog-energy-battery-settings")
        await frontend.open("/config/energy/electricity")
        await page.get_by_role("button", name="Add battery").click()
        await choose(frontend, "Energy discharged from the battery", "Energy discharged")
        await choose(frontend, "Energy charged into the battery", "Energy charged")
        await dialog.locator("ha-radio-option", has_text="Standard").click()
        await choose(frontend, "Battery power", "Power")
        await choose(frontend, "Battery state of charge", "State of charge")
        capacity = dialog.locator("input[type=number]")
        await capacity.click()
        await capacity.fill("5.12")
        await expect(capacity).to_have_value("5.12")
        await dialog.get_by_role("button", name="Save").click()
        await frontend.closed()

        ids = await home.entities(day.device.serial)
        [source] = (await home.call("energy/get_prefs"))["energy_sources"]
        assert source["stat_energy_from"] == ids["energy_discharged"]
        assert source["stat_energy_to"] == ids["energy_charged"]
        assert source["stat_rate"] == ids["power"]
        assert source["stat_soc"] == ids["soc"]
        assert source["capacity"] == 5.12
        assert (await home.call("energy/validate"))["energy_sources"] == [[]]
        [state] = [state for state in await home.call("get_states") if state["entity_id"] == ids["soc"]]
        assert "icon" not in state["attributes"], "the dashboard would show it instead of the level"

        await frontend.open("/energy/electricity")
        battery = page.locator("hui-energy-distribution-card .circle-container.battery").first
        await expect(battery).to_contain_text("%")
        shown = [float(kwh) for kwh in re.findall(r"([0-9.]+)\s*kWh", await battery.inner_text())]
        assert shown == [pytest.approx(kwh, abs=0.15) for kwh in day.truth(5.9, 20.1)]
        await page.wait_for_timeout(SETTLING)
        await frontend.screenshot("energy")
        assert not frontend.strangers
    await cloud.stop()


@pytest.mark.parametrize(("fills", "name"), [("no", "hole-before"), ("yes", "hole-after")])
async def test_hole(tmp_path: Path, port: int, day: Day, fills: str, name: str) -> None:
    """What flowed in three hours stands in the hour of the return, and then where it flowed."""
    async with living_with(day.databases[fills], tmp_path, port, day) as (home, frontend):
        await home.call("lovelace/dashboards/create", url_path="a-day", title="A day with a hole", icon="mdi:history")
        energy = graph("Energy", "bar", "change", energy_charged="Charged", energy_discharged="Discharged")
        cards = [energy, graph("State of charge", "line", "mean", state_of_charge="State of charge")]
        await home.call("lovelace/config/save", url_path="a-day", config={"views": [{"title": "Day", "cards": cards}]})
        await frontend.open("/a-day")
        await expect(frontend.page.locator("hui-statistics-graph-card canvas")).to_have_count(2)
        await frontend.page.wait_for_timeout(SETTLING)
        cards_only: Any = {"x": 256, "y": 56, "width": 1024, "height": 350}
        await frontend.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled", clip=cards_only)
        rows = await home.call(
            "recorder/statistics_during_period",
            start_time=day.midnight.isoformat(),
            statistic_ids=["sensor.dl5_0c_energy_charged", "sensor.dl5_0c_state_of_charge"],
            period="hour",
        )
    changes, levels = (
        {round((row["start"] / 1000 - day.midnight.timestamp()) / 3600): row[kind] for row in rows[statistic]}
        for statistic, kind in (("sensor.dl5_0c_energy_charged", "change"), ("sensor.dl5_0c_state_of_charge", "mean"))
    )
    inside, whole = day.truth(11, 13)[0], day.truth(10, 14)[0]
    assert sum(changes[hour] for hour in range(10, 14)) == pytest.approx(whole, abs=0.15)
    assert changes[11] + changes[12] == pytest.approx(inside if fills == "yes" else 0, abs=0.05)
    assert ({11, 12} <= levels.keys()) is (fills == "yes")


async def test_dashboard_of_a_day(tmp_path: Path, port: int, day: Day) -> None:
    """What the dashboard shows in the evening of a day."""
    cloud = DynessCloud(devices=[day.device])
    await cloud.start()
    async with living_with(day.databases["whole"], tmp_path, port, day) as (home, frontend):
        await home.add_dyness(cloud)
        await home.call(
            "lovelace/dashboards/create", url_path="my-battery", title="My battery", icon="mdi:home-battery"
        )
        strategy = {"strategy": {"type": "custom:dyness-atess"}}
        await home.call("lovelace/config/save", url_path="my-battery", config=strategy)
        await frontend.page.set_viewport_size({"width": 1280, "height": 720})
        await frontend.open("/my-battery")
        chart = frontend.page.locator("dyness-atess-day-card path")
        await expect(chart.first).to_be_attached()
        await frontend.page.wait_for_timeout(SETTLING)
        await frontend.screenshot("dashboard-day")
        boxes = [await path.bounding_box() for path in await chart.all()]
        assert max(box["width"] for box in boxes if box) > 200, "hours are missing from the chart"
        assert not frontend.strangers
    await cloud.stop()


def graph(title: str, chart: str, kind: str, **names: str) -> dict[str, Any]:
    """Show some statistics of the battery by the hour."""
    return {
        "type": "statistics-graph",
        "title": title,
        "chart_type": chart,
        "stat_types": [kind],
        "period": "hour",
        "days_to_show": 1,
        "entities": [{"entity": f"sensor.dl5_0c_{sensor}", "name": name} for sensor, name in names.items()],
    }
