"""A Home Assistant as a process of its own, for the demo and the browser tests.

It is the installed Home Assistant with the integration of this repository, as a process that listens on loopback only.
"""

import asyncio
from asyncio import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import sys
from typing import Any

import aiohttp

from .dyness.cloud import DynessCloud

REPOSITORY = Path(__file__).parents[1]
DOMAIN = "dyness_atess"
START_SECONDS = 90
STOP_SECONDS = 30
INITIALIZED = "Home Assistant initialized"
"""Is logged when all integrations are set up: a page that is opened sooner lacks some."""

# `default_config` is left out: much of it looks around in the network or wants the internet.
CONFIGURATION = """\
homeassistant:
  name: Home
  country: DE
  currency: EUR
  unit_system: metric
  latitude: 48.2
  longitude: 11.6
config:
diagnostics:
energy:
frontend:
history:
logbook:
logger:
  default: warning
  logs:
    custom_components.dyness_atess: info
    homeassistant.bootstrap: info
my:
recorder:
  commit_interval: 1
"""


class HouseholdError(Exception):
    """Home Assistant did not do what it was asked for."""


@dataclass(frozen=True, kw_only=True)
class User:
    """The one user of the household."""

    name: str
    username: str
    password: str


class Household:
    """A running Home Assistant and, once logged in, a connection to it."""

    _socket: aiohttp.ClientWebSocketResponse

    def __init__(self, directory: Path, url: str, process: subprocess.Process, session: aiohttp.ClientSession) -> None:
        self.directory = directory
        self.url = url
        self.process = process
        self._session = session
        self._calls = 0

    @property
    def log(self) -> str:
        """What this run of Home Assistant wrote."""
        return (self.directory / "console.log").read_text(errors="replace")

    async def log_in(self, user: User) -> None:
        """Connect as `user`, who is created where the household has none yet, and wait until all is started."""
        client = {"client_id": f"{self.url}/"}
        secret = {"username": user.username, "password": user.password}
        try:
            person = client | secret | {"name": user.name, "language": "en"}
            code = (await self.request("POST", "/api/onboarding/users", json=person))["auth_code"]
        except HouseholdError:  # somebody lives here already
            flow = client | {"handler": ["homeassistant", None], "redirect_uri": client["client_id"]}
            step = await self.request("POST", "/auth/login_flow", json=flow)
            step = await self.request("POST", f"/auth/login_flow/{step['flow_id']}", json=client | secret)
            if "result" not in step:
                raise HouseholdError(f"Home Assistant does not let {user.username} in: {step['errors']}") from None
            code = step["result"]
        grant = client | {"grant_type": "authorization_code", "code": code}
        token = (await self.request("POST", "/auth/token", data=grant))["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

        self._socket = await self._session.ws_connect("/api/websocket", max_msg_size=0)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": token})
        await self._socket.receive_json()
        async with asyncio.timeout(START_SECONDS):
            while (await self.call("get_config"))["state"] != "RUNNING":  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def request(self, method: str, path: str, **arguments: Any) -> Any:
        """One request to the REST interface; anything but success is an error with the answer's text."""
        async with self._session.request(method, path, **arguments) as response:
            if not response.ok:
                raise HouseholdError(f"{method} {path}: {response.status} {await response.text()}")
            return await response.json()

    async def call(self, command: str, **fields: Any) -> Any:
        """One command over the WebSocket, as the frontend does it."""
        self._calls += 1
        try:
            await self._socket.send_json({"id": self._calls, "type": command, **fields})
            while (answer := await self._socket.receive_json()).get("id") != self._calls:
                pass
        except (TypeError, aiohttp.ClientError) as error:
            raise HouseholdError("Home Assistant has closed the connection") from error
        if not answer["success"]:
            raise HouseholdError(f"{command}: {answer['error']['message']}")
        return answer["result"]

    async def entities(self, serial: str) -> dict[str, str]:
        """Find the entities of a device by vocabulary key."""
        registry = await self.call("config/entity_registry/list")
        ids = {entity["unique_id"].removeprefix(f"{serial}-"): entity for entity in registry}
        return {key: entity["entity_id"] for key, entity in ids.items() if key != entity["unique_id"]}

    async def configure(self, domain: str, *inputs: dict[str, Any]) -> str:
        """Add an integration and give its entry's id: each of `inputs` answers the next step of its flow."""
        flows = "/api/config/config_entries/flow"
        step = await self.request("POST", flows, json={"handler": domain})
        for answer in inputs:
            step = await self.request("POST", f"{flows}/{step['flow_id']}", json=answer)
        if step["type"] != "create_entry":
            raise HouseholdError(f"{domain} was not added: {step}")
        return str(step["result"]["entry_id"])

    async def add_dyness(self, cloud: DynessCloud) -> str:
        """Add the account of an emulated cloud, and give its entry's id."""
        app = {"app_id": cloud.app_id, "app_secret": cloud.app_secret, "region": "other"}
        return await self.configure(DOMAIN, {"next_step_id": "dyness"}, app, {"base_url": cloud.url})

    async def set_options(self, entry_id: str, wishes: dict[str, Any]) -> None:
        """Set those options of a config entry that its form has."""
        flows = "/api/config/config_entries/options/flow"
        step = await self.request("POST", flows, json={"handler": entry_id})
        fields = {field["name"] for field in step["data_schema"]}
        answer = {name: value for name, value in wishes.items() if name in fields}
        step = await self.request("POST", f"{flows}/{step['flow_id']}", json=answer)
        if step["type"] != "create_entry":
            raise HouseholdError(f"The options were not set: {step}")


@asynccontextmanager
async def household(directory: Path, port: int, *, onboarded: bool = True) -> AsyncGenerator[Household]:
    """Start Home Assistant in `directory`, which keeps its state, and stop it at the end.

    With `onboarded` nothing is left of the onboarding but the user, else all pages of it that work offline.
    """
    await asyncio.to_thread(_furnish, directory, port, onboarded=onboarded)
    url = f"http://127.0.0.1:{port}"
    async with _process(directory) as process, aiohttp.ClientSession(url) as session:
        house = Household(directory, url, process, session)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not (await _answers(session) and INITIALIZED in house.log):
                    if process.returncode is not None:
                        raise HouseholdError(f"Home Assistant did not start:\n{house.log[-3000:]}")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise HouseholdError(f"No Home Assistant after {START_SECONDS} s:\n{house.log[-3000:]}") from None
        yield house


def _furnish(directory: Path, port: int, *, onboarded: bool) -> None:
    storage = directory / ".storage"
    storage.mkdir(parents=True, exist_ok=True)

    def store(key: str, version: int, minor_version: int, data: dict[str, Any]) -> None:
        content = {"version": version, "minor_version": minor_version, "key": key, "data": data}
        (storage / key).write_text(json.dumps(content, indent=2))

    (directory / "configuration.yaml").write_text(CONFIGURATION)
    components = directory / "custom_components"
    if not components.exists():
        # The whole folder: a namespace package would lose against any other `custom_components` on the path.
        components.symlink_to(REPOSITORY / "custom_components")
    # From YAML the port would be a trial that the user must confirm within five minutes.
    server = {"server_host": ["127.0.0.1"], "server_port": port, "cors_allowed_origins": []}
    server |= {"login_attempts_threshold": -1, "ip_ban_enabled": False, "ssl_profile": "modern"}
    server |= {"use_x_frame_options": True, "created_at": "2026-01-01T00:00:00+00:00"}
    server |= {"error": None, "error_message": None}
    store("http", 2, 2, {"stable": server, "pending": None, "yaml_migration_done": True})
    if not (storage / "onboarding").exists():
        # The page about the location would set up integrations that live on the internet.
        store("onboarding", 4, 1, {"done": ["core_config", *["analytics", "integration"] * onboarded]})


@asynccontextmanager
async def _process(directory: Path) -> AsyncGenerator[subprocess.Process]:
    command = [sys.executable, "-P", "-m", "homeassistant", "--skip-pip", "--config", str(directory)]
    with (directory / "console.log").open("wb") as console:
        # In a session of its own, so that Ctrl-C in the terminal reaches only whoever stops it in order.
        process = await subprocess.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd=directory, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _answers(session: aiohttp.ClientSession) -> bool:
    try:
        async with session.get("/manifest.json") as response:
            return response.ok
    except aiohttp.ClientError:
        return False
