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
from .dyness.powerhaus import PowerHaus
from .dyness.replay import replay_all
from .server import EmulatedCloud


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m emulator", description="Emulated clouds on loopback.")
    parser.add_argument("--port", type=int, default=8310)
    parser.add_argument("--atess-port", type=int, metavar="PORT", help="where an ATESS cloud with a PBD runs as well")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster the battery lives")
    parser.add_argument(
        "--device",
        choices=CATALOGUE,
        action="append",
        default=[],
        metavar="NAME",
        help=f"instead of a PowerHaus; may be repeated: {', '.join(CATALOGUE)}",
    )
    parser.add_argument(
        "--replay", type=Path, nargs="+", default=[], metavar="FILE", help="recorded devices instead of a PowerHaus"
    )
    parser.add_argument("--app-id", default="demo-app-id")
    parser.add_argument("--app-secret", default="demo-app-secret")
    return parser.parse_args()


async def run(options: argparse.Namespace, devices: Sequence[Device]) -> None:
    """Serve until Ctrl-C."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    batteries = [device for device in devices if not isinstance(device, Pbd)]
    dyness = DynessCloud(app_id=options.app_id, app_secret=options.app_secret, devices=batteries)
    await serve("Dyness", dyness, options.port, f"App ID {options.app_id}")
    clouds: list[EmulatedCloud] = [dyness]
    pbds = [device for device in devices if isinstance(device, Pbd)]
    if options.atess_port is not None or pbds:
        atess = AtessCloud(devices=pbds or [Pbd(speed=options.speed)])
        await serve("ATESS", atess, options.atess_port or 0, f"API ID {atess.api_id}")
        clouds.append(atess)
    await stopped.wait()
    for cloud in clouds:
        await cloud.stop()


async def serve(vendor: str, cloud: EmulatedCloud, port: int, account: str) -> None:
    """Start a cloud and say where it is."""
    try:
        await cloud.start(port=port)
    except OSError as error:
        sys.exit(f"Port {port}: {error.strerror}")
    serials = ", ".join(cloud.devices)
    sys.stdout.write(f"{vendor} cloud at {cloud.url}, {account}, devices: {serials}. Ctrl-C ends it.\n")
    sys.stdout.flush()


def main() -> None:
    """Start what the command line asks for."""
    options = arguments()
    devices: list[Device] = [device for path in options.replay for device in replay_all(path)]
    for name in dict.fromkeys(options.device):
        devices += build(name, speed=options.speed)
    asyncio.run(run(options, devices or [PowerHaus(speed=options.speed)]))


if __name__ == "__main__":
    main()
