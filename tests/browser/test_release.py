"""The zip of a release, in a Home Assistant that has nothing else."""

from collections.abc import AsyncGenerator
import json
from pathlib import Path
import subprocess
from zipfile import ZipFile

import pytest

from emulator.dyness.cloud import DynessCloud
from emulator.household import DOMAIN, REPOSITORY, Household, User, household
from tests.browser.frontend import chromium

SAM = User(name="Sam", username="sam", password="sam's password")


@pytest.fixture
async def home(tmp_path: Path, port: int) -> AsyncGenerator[Household]:
    """A Home Assistant into which the zip was unpacked, as the Marketplace does it."""
    subprocess.run([REPOSITORY / "scripts" / "release"], check=True)  # noqa: ASYNC221, S603
    components = tmp_path / "custom_components"
    with ZipFile(REPOSITORY / "dist" / f"{DOMAIN}.zip") as archive:
        archive.extractall(components / DOMAIN)
    (components / "__init__.py").touch()
    async with household(tmp_path, port) as home:
        await home.log_in(SAM)
        yield home


async def test_zip_is_set_up(home: Household, cloud: DynessCloud) -> None:
    manifest = json.loads((home.directory / "custom_components" / DOMAIN / "manifest.json").read_text())
    found = await home.call("manifest/get", integration=DOMAIN)
    assert (found["version"], found["is_built_in"]) == (manifest["version"], False)
    async with chromium(home.url) as frontend:
        await frontend.log_in(SAM)
        await frontend.add_integration("Dyness")
        await frontend.choose("Dyness")
        await frontend.fill(app_id=cloud.app_id, app_secret=cloud.app_secret)
        await frontend.pick("Region", "Another server")
        await frontend.submit()
        await frontend.fill(base_url=cloud.url)
        await frontend.submit()
        await frontend.finish()
        assert not frontend.strangers
    entities = await home.entities("R07E00000000DEMO-BMS")
    states = {state["entity_id"]: state["state"] for state in await home.call("get_states")}
    assert states[entities["soc"]] == "100"
