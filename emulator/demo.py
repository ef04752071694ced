"""Home Assistant with the integration set up against an emulated battery: `scripts/demo`."""

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
import shutil
import signal
import socket
import sys

from .dashboard import dashboard
from .dyness import DynessCloud
from .household import DOMAIN, REPOSITORY, Household, HouseholdError, User, household
from .powerhaus import PowerHaus

DIRECTORY = REPOSITORY / ".demo"
USER = User(name="Demo", username="demo", password="demo")  # noqa: S106
DASHBOARD = "battery-demo"
CLOUD_PORT = 8310
"""Always the same: it is part of what Home Assistant stores."""
POLL_SECONDS = 15
RESTART_WANTED = 100
"""With this code Home Assistant ends when its user asks for a restart."""


class EagerPowerHaus(PowerHaus):
    """Uploads whenever it is asked: nobody looks at a demo for five minutes to see a value change."""

    def sample_time(self, now: datetime) -> datetime:
        """Give the present."""
        return now


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs left in .demo/")
    parser.add_argument("--speed", type=float, default=60, help="how many times faster the battery lives (60)")
    parser.add_argument("--port", type=int, default=8123, help="where Home Assistant listens (8123)")
    return parser.parse_args()


async def run(options: argparse.Namespace) -> None:
    """Run both until somebody ends it."""
    for port in (options.port, CLOUD_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise HouseholdError(f"Port {port} is in use, perhaps by another demo.") from None
    if options.fresh:
        shutil.rmtree(DIRECTORY, ignore_errors=True)

    cloud = DynessCloud(devices=[battery := EagerPowerHaus(speed=options.speed)])
    await cloud.start(port=CLOUD_PORT)
    try:
        say("Starting Home Assistant ...")
        while (code := await live(options.port, cloud, battery)) == RESTART_WANTED:
            say("Restarting Home Assistant ...")
        raise HouseholdError(f"Home Assistant has ended with code {code}; {DIRECTORY.name}/console.log may tell why.")
    finally:
        await cloud.stop()


async def live(port: int, cloud: DynessCloud, battery: PowerHaus) -> int:
    """Run Home Assistant until it ends by itself."""
    async with furnished(DIRECTORY, port, cloud, battery.serial) as (home, entities):
        say(f"""
  Home Assistant   {home.url}/{DASHBOARD}
  User             {USER.username}
  Password         {USER.password}
  Emulated cloud   {cloud.url} (battery {battery.speed:g} times as fast as in life)

  Let the cloud fail, and work again:
  curl -d '{{"kind": "network_anomaly"}}' {cloud.url}/control/faults
  curl -X DELETE {cloud.url}/control/faults

  Ctrl-C ends it; the next start goes on with what is in {DIRECTORY.name}/.
""")
        polling = asyncio.create_task(poll(home, entities["soc"]))
        try:
            return await home.process.wait()
        finally:
            polling.cancel()


@asynccontextmanager
async def furnished(
    directory: Path, port: int, cloud: DynessCloud, serial: str
) -> AsyncGenerator[tuple[Household, dict[str, str]]]:
    """Start Home Assistant with the account and a dashboard, and give it with the battery's entities."""
    async with household(directory, port) as home:
        await home.log_in(USER)
        if not await home.call("config_entries/get", domain=DOMAIN):
            account = {"app_id": cloud.app_id, "app_secret": cloud.app_secret, "region": cloud.url}
            await home.configure(DOMAIN, {"next_step_id": "dyness"}, account)
        entities = await home.entities(serial)
        if DASHBOARD not in [known["url_path"] for known in await home.call("lovelace/dashboards/list")]:
            await add_dashboard(home, entities)
        yield home, entities


async def add_dashboard(home: Household, entities: dict[str, str]) -> None:
    """Give Home Assistant its dashboard and let it show local times."""
    await home.call("lovelace/dashboards/create", url_path=DASHBOARD, title="Battery", icon="mdi:home-battery")
    await home.call("lovelace/config/save", url_path=DASHBOARD, config=dashboard(entities))
    await home.call("frontend/set_user_data", key="core", value={"default_panel": DASHBOARD})
    language = {"language": "en", "number_format": "language", "time_format": "language", "time_zone": "local"}
    await home.call("frontend/set_user_data", key="language", value=language)


async def poll(home: Household, entity_id: str) -> None:
    """Read the battery more often than the integration would."""
    service = {"domain": "homeassistant", "service": "update_entity", "target": {"entity_id": entity_id}}
    while True:
        await asyncio.sleep(POLL_SECONDS)
        with suppress(HouseholdError):
            await home.call("call_service", **service)


def say(text: str) -> None:
    """Write to the terminal at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main() -> None:
    """Run until Ctrl-C; a second one while both stop is ignored."""
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
