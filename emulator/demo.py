"""Home Assistant with the integration set up against emulated clouds: `scripts/demo`."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import shutil
import signal
import socket
import sys
from typing import Any

from .atess.cloud import AtessCloud
from .atess.pbd import Pbd
from .dyness.battery import EPOCH
from .dyness.cloud import DynessCloud
from .dyness.powerhaus import PowerHaus
from .household import DOMAIN, REPOSITORY, Household, HouseholdError, User, household

DIRECTORY = REPOSITORY / ".demo"
USER = User(name="Demo", username="demo", password="demo")  # noqa: S106
PATH = "battery-demo"
DYNESS_PORT = 8310
ATESS_PORT = 8311
"""Always the same: they are part of what Home Assistant stores."""
SPEED = 60.0
FASTEST_PBD, PBD_SIZE = 60.0, 0.1
"""Faster or larger, its counters would rise by what no converter does, and the integration would not believe them."""
MORNING = 9 * 3600
"""When a new demo begins: there is sun, and the batteries are charged."""
PATIENCE = 60
"""Seconds until the integration has seen enough of the PBD to believe its counters."""
POLL_SECONDS = 15
DASHBOARD = {"strategy": {"type": "custom:dyness-atess"}}
OPTIONS = {"single_cells": True, "hourly_calls": 3600}
"""Of each account whose form has them. A poll is one call per device: 480 an hour of Dyness, 240 of ATESS."""
RESTART_WANTED = 100
"""With this code Home Assistant ends when its user asks for a restart."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """When a demo began, and how many times as fast as the clock it lives. It never changes: counters only rise."""

    began: datetime
    speed: float = SPEED

    def utc_offset(self, speed: float) -> timedelta:
        """Give what lets a system of that speed begin on the first of all mornings, with little on its counters."""
        return timedelta(seconds=MORNING) - speed * (self.began - EPOCH)


class Clouds:
    """Both clouds with a system in each."""

    def __init__(self, life: Life) -> None:
        """Make the systems."""
        slower = min(life.speed, FASTEST_PBD)
        self.powerhaus = PowerHaus(speed=life.speed, utc_offset=life.utc_offset(life.speed), eager=True)
        self.pbd = Pbd(speed=slower, utc_offset=life.utc_offset(slower), seed=1, size=PBD_SIZE, eager=True)
        self.dyness = DynessCloud(devices=[self.powerhaus])
        self.atess = AtessCloud(devices=[self.pbd])
        self.serials = [self.powerhaus.serial, self.powerhaus.module_serial, self.pbd.serial]

    async def start(self, dyness_port: int = 0, atess_port: int = 0) -> None:
        """Listen; port 0 takes any free one."""
        await self.dyness.start(port=dyness_port)
        await self.atess.start(port=atess_port)

    async def stop(self) -> None:
        """Close every connection."""
        await self.dyness.stop()
        await self.atess.stop()

    @property
    def accounts(self) -> dict[str, list[dict[str, Any]]]:
        """What a user types to add each account, by the title of its entry."""
        dyness, atess = self.dyness, self.atess
        app = {"app_id": dyness.app_id, "app_secret": dyness.app_secret, "region": "other"}
        api = {"api_id": atess.api_id, "api_token": atess.api_token, "server": atess.url, "device_sn": self.pbd.serial}
        server = {"base_url": dyness.url}
        return {"Dyness": [{"next_step_id": "dyness"}, app, server], "ATESS": [{"next_step_id": "atess"}, api]}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs left in .demo/")
    parser.add_argument("--speed", type=float, help=f"how many times faster the batteries live ({SPEED:g})")
    parser.add_argument("--port", type=int, default=8123, help="where Home Assistant listens (8123)")
    return parser.parse_args()


def remember(speed: float | None) -> Life:
    """Go on with the life of an earlier run, or begin one."""
    file = DIRECTORY / "life.json"
    if not file.exists():
        DIRECTORY.mkdir(exist_ok=True)
        file.write_text(json.dumps({"began": datetime.now(UTC).isoformat(), "speed": speed or SPEED}))
    stored = json.loads(file.read_text())
    if speed not in (None, stored["speed"]):
        raise HouseholdError(f"This demo was begun with --speed {stored['speed']:g}. Another speed needs --fresh.")
    return Life(began=datetime.fromisoformat(stored["began"]), speed=stored["speed"])


async def run(options: argparse.Namespace) -> None:
    """Run all until somebody ends it."""
    for port in (options.port, DYNESS_PORT, ATESS_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise HouseholdError(f"Port {port} is in use, perhaps by another demo.") from None
    if options.fresh:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
    clouds = Clouds(remember(options.speed))
    await clouds.start(DYNESS_PORT, ATESS_PORT)
    try:
        say("Starting Home Assistant ...")
        while (code := await live(options.port, clouds)) == RESTART_WANTED:
            say("Restarting Home Assistant ...")
        raise HouseholdError(f"Home Assistant has ended with code {code}; {DIRECTORY.name}/console.log may say why.")
    finally:
        await clouds.stop()


async def live(port: int, clouds: Clouds) -> int:
    """Run Home Assistant until it ends by itself."""
    dyness, atess = clouds.dyness.url, clouds.atess.url
    async with furnished(DIRECTORY, port, clouds) as home:
        say(f"""
  Home Assistant   {home.url}/{PATH}
  User             {USER.username}
  Password         {USER.password}
  Dyness cloud     {dyness} (emulated; PowerHaus, {clouds.powerhaus.speed:g} times as fast as in life)
  ATESS cloud      {atess} (emulated; PBD, {clouds.pbd.speed:g} times as fast as in life)

  Let a cloud fail, and work again:
  curl -d '{{"kind": "network_anomaly"}}' {dyness}/control/faults
  curl -X DELETE {dyness}/control/faults

  Ctrl-C ends it; the next start goes on with what is in {DIRECTORY.name}/.
""")
        polling = asyncio.create_task(poll(home, clouds.serials))
        try:
            return await home.process.wait()
        finally:
            polling.cancel()


@asynccontextmanager
async def furnished(directory: Path, port: int, clouds: Clouds) -> AsyncGenerator[Household]:
    """Start Home Assistant with both accounts, a dashboard and the energy dashboard."""
    async with household(directory, port) as home:
        await home.log_in(USER)
        known = {entry["title"] for entry in await home.call("config_entries/get", domain=DOMAIN)}
        for title, inputs in clouds.accounts.items():
            if title not in known:
                await home.set_options(await home.configure(DOMAIN, *inputs), OPTIONS)
        if PATH not in [known["url_path"] for known in await home.call("lovelace/dashboards/list")]:
            async with asyncio.timeout(PATIENCE):
                while not {"pv_energy", "energy_charged", "power"} <= (await home.entities(clouds.pbd.serial)).keys():
                    await asyncio.sleep(1)
                    await read(home, clouds.serials)
            await add_dashboards(home, clouds.pbd.serial)
        yield home


async def add_dashboards(home: Household, pbd: str) -> None:
    """Give Home Assistant its dashboard and its sources of energy, and let it show local times.

    Sun and battery are those of the PBD, whose own counters live fast too. Energies that the integration computes for
    the PowerHaus go by the clock and would show a small part of what it does.
    """
    entities = await home.entities(pbd)
    solar: dict[str, Any] = {"type": "solar", "config_entry_solar_forecast": None}
    solar |= {"stat_energy_from": entities["pv_energy"], "stat_rate": entities["pv_power"]}
    battery = {"type": "battery", "stat_energy_from": entities["energy_discharged"], "stat_rate": entities["power"]}
    battery |= {"stat_energy_to": entities["energy_charged"], "stat_soc": entities["soc"]}
    await home.call("lovelace/dashboards/create", url_path=PATH, title="Battery dashboard", icon="mdi:view-dashboard")
    await home.call("lovelace/config/save", url_path=PATH, config=DASHBOARD)
    await home.call("energy/save_prefs", energy_sources=[solar, battery])
    await home.call("frontend/set_user_data", key="core", value={"default_panel": PATH})
    language = {"language": "en", "number_format": "language", "time_format": "language", "time_zone": "local"}
    await home.call("frontend/set_user_data", key="language", value=language)


async def poll(home: Household, serials: Iterable[str]) -> None:
    """Read the devices more often than the integration would."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        with suppress(HouseholdError, TimeoutError):
            # A cloud that hangs must not hold up the devices of the other.
            async with asyncio.timeout(POLL_SECONDS):
                await read(home, serials)


async def read(home: Household, serials: Iterable[str]) -> None:
    """Ask the integration to read devices now; between two such reads it lets 10 s pass."""
    devices = [await home.entities(serial) for serial in serials]
    target = {"entity_id": [entities["soc"] for entities in devices if "soc" in entities]}
    await home.call("call_service", domain="homeassistant", service="update_entity", target=target)


def say(text: str) -> None:
    """Write to the terminal at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main() -> None:
    """Run until Ctrl-C; a second one while all stops is ignored."""
    demo = asyncio.create_task(run(arguments()))

    def stop() -> None:
        if not demo.cancelling():
            demo.cancel()
            say("\nStopping ...")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        with suppress(asyncio.CancelledError):
            await demo
    except HouseholdError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    asyncio.run(main())
