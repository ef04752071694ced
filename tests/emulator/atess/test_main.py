import asyncio
from pathlib import Path
import re
import signal
import sys


async def test_runs_beside_the_other_cloud(session) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator", "--port", "0", "--atess-port", "0"),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(10):
            await process.stdout.readline()
            line = (await process.stdout.readline()).decode()
            url = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
            assert "ATESS" in line
            assert "demo-api-id" in line
            async with session.get(f"{url}/control/devices") as response:
                assert [device["serial"] for device in await response.json()] == ["DEMOPBD001"]
            process.send_signal(signal.SIGTERM)
            assert await process.communicate() == (b"", b"")
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
