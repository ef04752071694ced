"""Runs the emulated clouds: `python -m emulator --port 8310 --atess-port 8311 --speed 60`."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
import signal
import sys

from .atess.cloud import AtessCloud
from .atess.pbd import Pbd
from .dyness.catalogue import CATALOGUE, build
from .dyness.cloud import DynessCloud
from .dyness.devices import Device
from .dyness.replay import replay_all
from .server import EmulatedCloud


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m emulator", description="Emulated clouds on loopback.")
    parser.add_argument("--port", type=int, default=8310)
    parser.add_argument("--atess-port", type=int, default=8311, metavar="PORT")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster the systems live")
    parser.add_argument("--device", choices=CATALOGUE, action="append", metavar="NAME", help=", ".join(CATALOGUE))
    parser.add_argument("--replay", type=Path, nargs="+", default=[], metavar="FILE", help="recorded devices")
    return parser.parse_args()


async def run(options: argparse.Namespace, devices: Sequence[Device]) -> None:
    """Serve until Ctrl-C."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    dyness = DynessCloud(devices=[device for device in devices if not isinstance(device, Pbd)])
    pbds = [device for device in devices if isinstance(device, Pbd)]
    atess = AtessCloud(devices=pbds or [Pbd(speed=options.speed)])
    await serve(f"Dyness cloud, App ID {dyness.app_id}", dyness, options.port)
    await serve(f"ATESS cloud, API ID {atess.api_id}", atess, options.atess_port)
    await stopped.wait()
    await dyness.stop()
    await atess.stop()


async def serve(account: str, cloud: EmulatedCloud, port: int) -> None:
    """Start a cloud and say where it is."""
    try:
        await cloud.start(port=port)
    except OSError as error:
        sys.exit(f"Port {port}: {error.strerror}")
    sys.stdout.write(f"{account}, at {cloud.url}, devices: {', '.join(cloud.devices)}. Ctrl-C ends it.\n")
    sys.stdout.flush()


def main() -> None:
    """Start what the command line asks for; without a device it is a PowerHaus."""
    options = arguments()
    devices: list[Device] = [device for path in options.replay for device in replay_all(path)]
    for name in dict.fromkeys(options.device or ([] if devices else ["powerhaus"])):
        devices += build(name, speed=options.speed)
    asyncio.run(run(options, devices))


if __name__ == "__main__":
    main()
