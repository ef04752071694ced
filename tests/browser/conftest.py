"""A real Home Assistant, a real Chromium and emulated clouds, all on loopback.

Home Assistant and the browser are processes of their own: run these tests without the plugins that replace parts of
both, `-p no:homeassistant -p no:socket`.
"""

from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
import socket

import pytest

from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.devices import PAYLOADS
from emulator.dyness.replay import Replay
from emulator.household import Household, household
from tests.browser.frontend import SCREENSHOTS, Frontend, chromium

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the fixtures of a test know that it failed."""
    report = yield
    item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session", autouse=True)
def screenshots() -> None:
    """Start without those of another run."""
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir()


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """The Dyness cloud with the PowerHaus of the first report."""
    cloud = DynessCloud(devices=[Replay.from_file(PAYLOADS / "powerhaus.json")])
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def atess() -> AsyncGenerator[AtessCloud]:
    """The ATESS cloud with a PBD, somewhere where it is ten in the morning, that has uploaded its last sample."""
    now = datetime.now(UTC)
    since_midnight = now - now.replace(hour=0, minute=0, second=0, microsecond=0)
    utc_offset = (timedelta(hours=22) - since_midnight) % timedelta(days=1) - timedelta(hours=12)
    cloud = AtessCloud(devices=[Pbd(offline_since=now, utc_offset=utc_offset)])
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
def port() -> int:
    """A port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
async def home(tmp_path: Path, port: int) -> AsyncGenerator[Household]:
    """A Home Assistant that was never used."""
    async with household(tmp_path, port, onboarded=False) as home:
        yield home
    (SCREENSHOTS / "home-assistant.log").write_text(home.log)


@pytest.fixture
async def frontend(home: Household, request: pytest.FixtureRequest) -> AsyncGenerator[Frontend]:
    """A browser that shows it."""
    async with chromium(home.url) as frontend:
        yield frontend
        if request.node.stash[FAILED]:
            await frontend.screenshot("failure")
