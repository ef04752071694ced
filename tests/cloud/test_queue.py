"""The call queue of an account, on a clock of its own."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import pytest

from custom_components.dyness_atess.cloud.errors import CloudRateLimited, CloudUnavailable
from custom_components.dyness_atess.cloud.queue import PAUSE, AccountQueue


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in which waiting takes no time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


@pytest.fixture
def virtual(socket_enabled: None) -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def test_one_at_a_time_and_spaced(virtual: VirtualLoop) -> None:
    queue = AccountQueue()
    starts: list[float] = []
    running = 0

    async def call(seconds: float) -> float:
        nonlocal running
        running += 1
        assert running == 1
        starts.append(virtual.time())
        await asyncio.sleep(seconds)
        running -= 1
        return seconds

    async def all_at_once() -> list[float]:
        return await asyncio.gather(*(queue.run(lambda seconds=s: call(seconds)) for s in (0.1, 0.1, 3.0, 0.1)))

    assert virtual.run_until_complete(all_at_once()) == [0.1, 0.1, 3.0, 0.1]
    assert [round(after - before, 3) for before, after in pairwise(starts)] == [1.0, 1.0, 3.0]


@pytest.mark.parametrize(("retry_after", "pause"), [(None, PAUSE), (120.0, 120.0)])
def test_a_limit_makes_the_whole_account_wait(virtual: VirtualLoop, retry_after: float | None, pause: float) -> None:
    queue = AccountQueue()

    async def limited() -> None:
        raise CloudRateLimited(retry_after)

    async def clock() -> float:
        return virtual.time()

    async def both() -> tuple[BaseException | None, float]:
        first, second = await asyncio.gather(queue.run(limited), queue.run(clock), return_exceptions=True)
        assert isinstance(second, float)
        return first, second

    error, second = virtual.run_until_complete(both())
    assert isinstance(error, CloudRateLimited)
    assert second == pytest.approx(100 + pause)


def test_a_failure_or_a_cancelled_call_does_not_block(virtual: VirtualLoop) -> None:
    queue = AccountQueue()

    async def fails() -> None:
        raise CloudUnavailable("gone")

    async def answers() -> str:
        return "answer"

    async def story() -> str:
        with pytest.raises(CloudUnavailable):
            await queue.run(fails)
        hanging = asyncio.ensure_future(queue.run(asyncio.Event().wait))
        waiting = asyncio.ensure_future(queue.run(answers))
        await asyncio.sleep(2)
        hanging.cancel()
        return await waiting

    assert virtual.run_until_complete(story()) == "answer"
