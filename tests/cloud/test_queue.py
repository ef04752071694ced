"""The call queue of an account, on a clock of its own."""

import asyncio
from collections.abc import Awaitable
from itertools import pairwise
import time
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.dyness_atess.cloud.errors import CloudError, CloudRateLimited, CloudUnavailable
from custom_components.dyness_atess.cloud.queue import CEILING, FORM, LEAST, PAUSE, AccountQueue, Priority, Turn

START, HOUR = 100.0, 3600.0
FIRST, MASTER, MODULE, LIST, FAILING = (Turn(priority) for priority in list(Priority)[1:])


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in which waiting takes no time."""

    now = START

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class Account:
    """A queue on a loop of its own, and when its calls began."""

    def __init__(self) -> None:
        self.loop, self.queue, self.running = VirtualLoop(), AccountQueue(), 0
        self.starts: list[tuple[float, Turn]] = []

    async def ask(self, turn: Turn = MASTER, seconds: float = 0.0, outcome: CloudError | None = None) -> float:
        """Return how long it took to be called."""

        async def call() -> float:
            self.starts.append((self.loop.now, turn))
            assert not self.running
            self.running += 1
            try:
                await asyncio.sleep(seconds)
            finally:
                self.running -= 1
            if outcome:
                raise outcome
            return self.starts[-1][0] - asked

        asked = self.loop.now
        return await self.queue.run(call, turn)

    async def keep_asking(self, hours: float, *turns: Turn) -> None:
        async def again_and_again(turn: Turn) -> None:
            while self.loop.now < START + hours * HOUR:
                await self.ask(turn)

        await asyncio.gather(*map(again_and_again, turns))

    def run(self, story: Awaitable[Any]) -> None:
        """Run a story, after which nothing may be left."""
        self.loop.run_until_complete(story)
        assert not [handle for handle in self.loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
        assert not self.queue._waiting
        self.loop.close()

    def gaps(self) -> list[float]:
        return [after - before for (before, _), (after, _) in pairwise(self.starts)]

    def at_most(self, count: int, *turns: Turn) -> bool:
        """Whether so many of these began in no hour, and yet as many as may."""
        times = [at for at, turn in self.starts if turn in (turns or (turn,))]
        within = all(later - earlier >= HOUR - 0.1 for earlier, later in zip(times, times[count:], strict=False))
        return within and len(times) >= count * ((times[-1] - times[0]) // HOUR)


@pytest.fixture
def account(socket_enabled: None) -> Account:
    return Account()


def test_one_at_a_time_and_spaced(account: Account) -> None:
    account.run(asyncio.wait([account.loop.create_task(account.ask(MASTER, each)) for each in (0.1, 0.1, 3.0, 0.1)]))
    assert account.gaps() == pytest.approx([1, 1, 3])


def test_the_most_urgent_goes_first_and_of_equals_the_oldest(account: Account) -> None:
    order = [FORM, FIRST, MASTER, Turn(Priority.MODULE, 4.0), Turn(Priority.MODULE, 9.0), LIST, FAILING]
    account.run(asyncio.wait([account.loop.create_task(account.ask(turn)) for turn in reversed(order)]))
    assert [turn for _, turn in account.starts] == order


@pytest.mark.parametrize(
    ("asking", "limit", "not_held_up"),
    [((MASTER, MODULE, FAILING), 40, (FORM, FIRST)), ((MODULE, LIST), 25, (MASTER,)), ((FAILING,), 12, (MASTER,))],
)
def test_ceiling_and_shares(account: Account, asking: Any, limit: int, not_held_up: Any) -> None:
    """A part is kept for masters, what fails has a third, and no limit holds up a form or a first reading."""
    account.queue.kept_for_masters = 15

    async def story() -> None:
        account.queue.allow(12)
        others = asyncio.create_task(account.keep_asking(6, *asking))
        await asyncio.sleep(100)
        account.queue.allow(40)  # for those who wait already too
        await asyncio.sleep(2 * HOUR)
        for turn in not_held_up * 4:
            assert await account.ask(turn) < 2.1
            await asyncio.sleep(290)
        await others

    account.run(story())
    assert account.at_most(limit, *asking)


@pytest.mark.parametrize(("retry_after", "pause"), [(None, PAUSE), (120.0, 120.0), (0.0, 1.0), (1e300, HOUR)])
def test_a_limit_makes_the_whole_account_wait(account: Account, retry_after: float | None, pause: float) -> None:
    limited = account.ask(FIRST, outcome=CloudRateLimited(retry_after))
    account.run(asyncio.wait([account.loop.create_task(each) for each in (limited, account.ask(), account.ask())]))
    assert account.gaps() == pytest.approx([pause, 1])


def test_a_cloud_that_goes_on_refusing_is_left_alone(account: Account) -> None:
    """However short it says to wait; an answer in between ends that."""

    async def story() -> None:
        for outcome in [CloudRateLimited(1)] * 4 + [None, CloudRateLimited(7), None]:
            await asyncio.wait([asyncio.create_task(account.ask(FIRST, outcome=outcome))])

    account.run(story())
    assert account.gaps() == pytest.approx([1, 60, 120, 240, 1, 7])


def test_slower_after_limits_and_fast_again(account: Account) -> None:
    async def story() -> None:
        ceilings = []
        for _ in range(16):
            await asyncio.wait([asyncio.create_task(account.ask(outcome=CloudRateLimited()))])
            ceilings.append(account.queue.ceiling)
        assert (ceilings[:2], min(ceilings)) == ([96, 76], LEAST)
        for hour in range(1, 11):
            await asyncio.sleep(HOUR)
            assert account.queue.ceiling == pytest.approx(min(LEAST + 0.1 * hour * CEILING, CEILING), abs=4)

    account.run(story())
    assert [round(gap) for gap in account.gaps()][:7] == [30, 60, 120, 240, 480, 600, 600]


@pytest.mark.parametrize("closed_after", [0, 1, 2, 3])
def test_a_form_that_is_closed_as_a_pause_begins(account: Account, closed_after: int) -> None:
    """Some steps of the loop from then: it disturbs nobody."""

    async def story() -> None:
        first = asyncio.create_task(account.ask(FIRST, 0.5, CloudRateLimited(3000)))
        await asyncio.sleep(0.1)
        form, module = asyncio.create_task(account.ask(FORM)), asyncio.create_task(account.ask(MODULE))

        def close(steps: int) -> None:
            account.loop.call_soon(close, steps - 1) if steps else form.cancel()

        account.loop.call_at(START + 0.5, close, closed_after)
        await asyncio.wait([first, form])
        assert form.cancelled()
        with pytest.raises(CloudRateLimited):
            await first
        assert account.loop.now == pytest.approx(START + 0.5)
        assert await module >= 3000

    account.run(story())


moments = st.integers(0, 50).map(lambda tenths: tenths / 10)
outcomes = st.sampled_from([None, CloudUnavailable(), CloudRateLimited(), CloudRateLimited(100)])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Priority), moments, moments, st.none() | moments, outcomes), max_size=12))
def test_cancelled_at_any_moment(asks: list[Any]) -> None:
    """Whoever waits, is just granted, calls or is refused: its end lets the next go, and none before its time."""
    account = Account()

    async def one(priority: Priority, begin: float, seconds: float, patience: float | None, outcome: Any) -> None:
        await asyncio.sleep(begin)
        call = asyncio.create_task(account.ask(Turn(priority), seconds, outcome))
        await asyncio.wait([call], timeout=patience)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled() or isinstance(call.exception(), CloudRateLimited | type(outcome))

    async def story() -> None:
        await asyncio.gather(*(one(*ask) for ask in asks))
        assert await account.ask() <= 600

    account.run(story())
    assert all(gap > 0.98 for gap in account.gaps())


def test_a_crowd_costs_no_long_slice(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hundred wait at a ceiling of 3,600 calls, some are cancelled: none of it holds the event loop up."""
    slices, run = [], asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        begin = time.thread_time()
        run(handle)
        slices.append(time.thread_time() - begin)

    async def story() -> None:
        account.queue.allow(3600)
        await account.keep_asking(1, MASTER)
        monkeypatch.setattr(asyncio.Handle, "_run", timed)
        crowd = [asyncio.create_task(account.ask(Turn(Priority(2 + each % 4), -each))) for each in range(500)]
        await asyncio.sleep(50)
        for call in crowd[::3]:
            call.cancel()
        await asyncio.wait(crowd)

    account.run(story())
    assert sorted(slices)[-2] < 0.005  # the longest is the test's own loop over all of them
