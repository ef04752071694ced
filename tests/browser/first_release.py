"""A home as version 1.0.0 has left it, for the test of an update: `first_release/`.

`.venv/bin/python -m tests.browser.first_release` has made it with a real Home Assistant, in some minutes. It is not
made again: what would have to change in it is what 1.0.0 has promised.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import re
import shutil
import socket
from tempfile import TemporaryDirectory
from typing import Any

from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.high_voltage import HighVoltage
from emulator.dyness.models import TOWER_T14
from emulator.dyness.powerhaus import PowerHaus
from emulator.household import DOMAIN, Household, User, household

FILES = Path(__file__).parent / "first_release"
USER = User(name="Kim", username="kim", password="kim's password")
MINUTES = 6
"""As long as the batteries work, so that there are energies."""
ENTITIES = "core.entity_registry"
OPTIONS = {"single_cells": True, "hourly_calls": 1200, "reserve": 15, "battery_sign": "automatic"}


class Clouds:
    """Both clouds; one battery discharges, all else charges, whatever the time is."""

    def __init__(self) -> None:
        """Make the systems."""
        self.powerhaus = PowerHaus(utc_offset=until(20), eager=True)
        serial = "H14E00000000DEMO-BDU"
        self.tower = HighVoltage(
            serial=serial, model=TOWER_T14, capacities=(37.0,), listed=False, utc_offset=until(10), eager=True
        )
        self.pbd = Pbd(utc_offset=until(10), eager=True)
        self.dyness = DynessCloud(devices=[self.powerhaus, self.tower])
        self.atess = AtessCloud(devices=[self.pbd])

    @property
    def urls(self) -> dict[str, str]:
        """Where they listen, by what stands for it in the files."""
        return {"DYNESS_URL": self.dyness.url, "ATESS_URL": self.atess.url}


def until(hour: int) -> timedelta:
    """Give the UTC offset of a place where it is that hour now, such that its date never goes back."""
    now = datetime.now(UTC)
    since_midnight = now - now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (timedelta(hours=hour + 12) - since_midnight) % timedelta(days=1) - timedelta(hours=12)


@asynccontextmanager
async def running_clouds() -> AsyncGenerator[Clouds]:
    """Let both listen."""
    clouds = Clouds()
    await clouds.dyness.start()
    await clouds.atess.start()
    try:
        yield clouds
    finally:
        await clouds.dyness.stop()
        await clouds.atess.stop()


def furnish(directory: Path, urls: dict[str, str]) -> None:
    """Put the files where a Home Assistant looks for them, which then finds the clouds at these addresses."""
    storage = directory / ".storage"
    storage.mkdir(parents=True)
    for file in FILES.iterdir():
        text = file.read_text(encoding="utf-8")
        for name, url in urls.items():
            text = text.replace(name, url)
        (storage / file.name).write_text(text, encoding="utf-8")
    (storage / ENTITIES).write_text(json.dumps(entity_registry()), encoding="utf-8")


def entity_registry() -> Any:
    """Read the one file that has another form than at Home Assistant: an entity per line, without what most have."""
    registry, usual, *entities = map(json.loads, (FILES / ENTITIES).read_text(encoding="utf-8").splitlines())
    registry["data"]["entities"] = [usual | entity for entity in entities]
    return registry


async def make() -> None:
    """Set up a home, let it run, and keep what it stores."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with TemporaryDirectory() as directory:
        async with running_clouds() as clouds:
            async with household(Path(directory), port) as home:
                await home.log_in(USER)
                await set_up(home, clouds)
                await live(home)
            keep(Path(directory) / ".storage", clouds.urls)


async def set_up(home: Household, clouds: Clouds) -> None:
    """Add both accounts, and the tower, which the cloud does not list."""
    dyness, atess = clouds.dyness, clouds.atess
    app = {"app_id": dyness.app_id, "app_secret": dyness.app_secret, "region": "other"}
    api = {"api_id": atess.api_id, "api_token": atess.api_token, "server": atess.url, "device_sn": clouds.pbd.serial}
    account = await home.configure(DOMAIN, {"next_step_id": "dyness"}, app, {"base_url": dyness.url})
    flows = "/api/config/config_entries/subentries/flow"
    step = await home.request("POST", flows, json={"handler": [account, "storage"]})
    step = await home.request("POST", f"{flows}/{step['flow_id']}", json={"device_sn": clouds.tower.serial})
    assert step["type"] == "create_entry", step
    await home.set_options(account, OPTIONS)
    await home.set_options(await home.configure(DOMAIN, {"next_step_id": "atess"}, api), OPTIONS)


async def live(home: Household) -> None:
    """Read all devices often, with everything turned on that is off at first: only then it can be seen to live."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 60 * MINUTES
    while loop.time() < end:
        await asyncio.sleep(12)
        registry = [each for each in await home.call("config/entity_registry/list") if each["platform"] == DOMAIN]
        for each in registry:
            if each["disabled_by"]:
                await home.call("config/entity_registry/update", entity_id=each["entity_id"], disabled_by=None)
        target = {"entity_id": [each["entity_id"] for each in registry if each["unique_id"].endswith("-voltage")]}
        await home.call("call_service", domain="homeassistant", service="update_entity", target=target)


def keep(storage: Path, urls: dict[str, str]) -> None:
    """Copy what is ours, with stand-ins for the addresses and one time for all entries of the registries."""

    def read(name: str) -> Any:
        return json.loads((storage / name).read_text(encoding="utf-8"))

    def write(name: str, content: Any) -> None:
        # What has nothing more within it stands in one line.
        text = re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda found: re.sub(r"\n *", " ", found[0]), _json(content, indent=2))
        for stand_in, url in urls.items():
            text = text.replace(url, stand_in)
        (FILES / name).write_text(f"{text}\n", encoding="utf-8")

    shutil.rmtree(FILES, ignore_errors=True)
    FILES.mkdir()
    entries = read("core.config_entries")
    entries["data"]["entries"] = [entry for entry in entries["data"]["entries"] if entry["domain"] == DOMAIN]
    write("core.config_entries", entries)

    times = dict.fromkeys(("created_at", "modified_at"), entries["data"]["entries"][0]["created_at"])
    ids = [entry["entry_id"] for entry in entries["data"]["entries"]]
    devices = read("core.device_registry")
    ours = [device | times for device in devices["data"]["devices"] if device["config_entry_id"] in ids]
    write("core.device_registry", devices | {"data": devices["data"] | {"devices": ours}})

    registry = read(ENTITIES)
    entities = [entity | times for entity in registry["data"].pop("entities") if entity["platform"] == DOMAIN]
    usual = {}
    for field in entities[0]:
        value, count = Counter(_json(entity[field]) for entity in entities).most_common(1)[0]
        if 4 * count > len(entities):
            usual[field] = json.loads(value)
    lines = [registry, usual]
    lines += [
        {field: value for field, value in entity.items() if value != usual.get(field, ...)} for entity in entities
    ]
    (FILES / ENTITIES).write_text("".join(f"{_json(line)}\n" for line in lines), encoding="utf-8")

    for file in storage.glob(f"{DOMAIN}.*"):
        write(file.name, read(file.name))


def _json(content: Any, indent: int | None = None) -> str:
    return json.dumps(content, indent=indent, ensure_ascii=False)


if __name__ == "__main__":
    asyncio.run(make())
