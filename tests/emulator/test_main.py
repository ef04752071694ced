"""`python -m emulator`."""

import asyncio
from pathlib import Path
import signal
import sys


async def test_runs_until_it_is_ended() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator", "--port", "0", "--atess-port", "0", "--device", "tower-t14"),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        async with asyncio.timeout(10):
            assert b"DEMOTOWERT14-BDU" in await process.stdout.readline()
            assert b"DEMOPBD001" in await process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert await process.communicate() == (b"", b"")
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
