import asyncio
from pathlib import Path
import re
import signal
import sys

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_runs_until_it_is_ended(session, number) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator", "--port", "0", "--speed", "60", "--app-id", "me"),
        *("--replay", "emulator/dyness/payloads/powerhaus.json"),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(10):
            line = (await process.stdout.readline()).decode()
            url = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
            assert "R07E00000000DEMO-BMS" in line
            assert "App ID me" in line
            async with session.get(f"{url}/control/devices") as response:
                assert [device["type"] for device in await response.json()] == ["Replay"]
            process.send_signal(number)
            assert await process.communicate() == (b"", b"")
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
