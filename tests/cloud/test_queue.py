"""The call queue of an account, on a clock of its own."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import pairwise

import pytest

from custom_components.dyness_atess.cloud.errors import CloudRateLimited, CloudUnavailable
from custom_components.dyness_atess.cloud.queue import HOURLY_CALLS, PAUSE, SLOWEST, AccountQueue, Priority, Turn


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


MASTER, MODULE = Turn(Priority.MASTER), Turn(Priority.MODULE)


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
        return await asyncio.gather(*(queue.run(partial(call, s), MASTER) for s in (0.1, 0.1, 3.0, 0.1)))

    assert virtual.run_until_complete(all_at_once()) == [0.1, 0.1, 3.0, 0.1]
    assert [round(after - before, 3) for before, after in pairwise(starts)] == [1.0, 1.0, 3.0]


def test_the_most_urgent_goes_first(virtual: VirtualLoop) -> None:
    queue = AccountQueue()
    order: list[str] = []

    async def call(name: str) -> None:
        order.append(name)

    async def crowd() -> None:
        turns = {
            "list": Turn(Priority.INVENTORY),
            "new module": Turn(Priority.MODULE, 0.0),
            "old module": Turn(Priority.MODULE, 100.0),
            "young module": Turn(Priority.MODULE, 200.0),
            "first master": MASTER,
            "second master": MASTER,
            "form": Turn(),
        }
        names = ["young module", "list", "old module", "new module", "first master", "second master", "form"]
        await asyncio.gather(*(queue.run(partial(call, name), turns[name]) for name in names))

    virtual.run_until_complete(crowd())
    assert order == ["form", "first master", "second master", "new module", "old module", "young module", "list"]


def test_budget(virtual: VirtualLoop) -> None:
    """In no hour more calls than the budget, whoever asks; only a person before a form is not held up."""
    queue = AccountQueue()
    queue.hourly_calls = 10
    starts: list[float] = []

    async def call() -> None:
        starts.append(virtual.time())

    async def story() -> float:
        many = asyncio.gather(*(queue.run(call, MODULE) for _ in range(35)))
        await asyncio.sleep(600)
        assert len(starts) == 10
        asked = virtual.time()
        await queue.run(call, Turn())
        answered = starts.pop() - asked
        await many
        return answered

    assert virtual.run_until_complete(story()) < 1.5
    assert len(starts) == 35
    assert all(later - earlier >= 3600 - 1e-6 for earlier, later in zip(starts, starts[10:], strict=False))
    assert starts[-1] - starts[0] < 4 * 3600 + 100


@pytest.mark.parametrize(("retry_after", "pause"), [(None, PAUSE), (120.0, 120.0)])
def test_a_limit_makes_the_whole_account_wait(virtual: VirtualLoop, retry_after: float | None, pause: float) -> None:
    queue = AccountQueue()

    async def limited() -> None:
        raise CloudRateLimited(retry_after)

    async def clock() -> float:
        return virtual.time()

    async def both() -> tuple[BaseException | None, float]:
        first, second = await asyncio.gather(
            queue.run(limited, MASTER), queue.run(clock, MODULE), return_exceptions=True
        )
        assert isinstance(second, float)
        return first, second

    error, second = virtual.run_until_complete(both())
    assert isinstance(error, CloudRateLimited)
    assert second == pytest.approx(100 + pause)


def test_slower_after_limits_and_fast_again(virtual: VirtualLoop) -> None:
    queue = AccountQueue()
    starts: list[float] = []

    async def call(*, limited: bool) -> None:
        starts.append(virtual.time())
        if limited:
            raise CloudRateLimited

    async def story() -> None:
        for _ in range(8):
            with pytest.raises(CloudRateLimited):
                await queue.run(partial(call, limited=True), MASTER)
        gaps = [round(after - before) for before, after in pairwise(starts)]
        assert gaps == [30, 60, 120, 240, 480, 600, 600]
        assert queue.slowness == SLOWEST
        assert 12 <= queue.budget <= HOURLY_CALLS / 4
        for _ in range(50):
            await queue.run(partial(call, limited=False), MASTER)
            await asyncio.sleep(600)
        assert queue.slowness == 0
        assert queue.budget == HOURLY_CALLS

    virtual.run_until_complete(story())


def test_a_failure_or_a_cancelled_call_does_not_block(virtual: VirtualLoop) -> None:
    queue = AccountQueue()

    async def fails() -> None:
        raise CloudUnavailable("gone")

    async def answers() -> str:
        return "answer"

    async def story() -> str:
        with pytest.raises(CloudUnavailable):
            await queue.run(fails, MASTER)
        hanging = asyncio.ensure_future(queue.run(asyncio.Event().wait, MASTER))
        waiting = asyncio.ensure_future(queue.run(answers, MODULE))
        await asyncio.sleep(2)
        hanging.cancel()
        return await waiting

    assert virtual.run_until_complete(story()) == "answer"


@pytest.mark.parametrize("after", [0.0, 0.5, 1.0, 1.0 + 1e-9, 1.5])
def test_cancelled_at_any_moment(virtual: VirtualLoop, after: float) -> None:
    queue = AccountQueue()

    async def call() -> float:
        await asyncio.sleep(0.5)
        return virtual.time()

    async def story() -> float:
        first = asyncio.ensure_future(queue.run(call, MASTER))
        doomed = asyncio.ensure_future(queue.run(call, MASTER))
        last = asyncio.ensure_future(queue.run(call, MASTER))
        virtual.call_later(after, doomed.cancel)
        await first
        return await last

    assert virtual.run_until_complete(story()) <= 102.6
    assert queue._timer is None
    assert not queue._waiting


def test_cancelled_when_just_granted(virtual: VirtualLoop) -> None:
    queue = AccountQueue()

    async def answers() -> str:
        return "answer"

    async def story() -> str:
        doomed = asyncio.ensure_future(queue.run(answers, MASTER))
        await asyncio.sleep(0)
        queue._timer.cancel()  # type: ignore[union-attr]
        queue._grant()
        doomed.cancel()
        return await queue.run(answers, MASTER)

    assert virtual.run_until_complete(story()) == "answer"


def test_nothing_runs_while_nobody_waits(virtual: VirtualLoop) -> None:
    queue = AccountQueue()

    async def answers() -> str:
        return "answer"

    virtual.run_until_complete(queue.run(answers, MASTER))
    assert queue._timer is None
    assert [handle for handle in virtual._scheduled if not handle.cancelled()] == []  # type: ignore[attr-defined]


def test_a_person_is_told_of_a_long_pause(virtual: VirtualLoop) -> None:
    """Before a call and while waiting; the others wait as long as it takes."""
    queue = AccountQueue()
    ended: dict[str, float] = {}

    async def limited() -> None:
        await asyncio.sleep(2)
        raise CloudRateLimited(3000)

    async def ask(name: str, turn: Turn) -> None:
        with suppress(CloudRateLimited):
            await queue.run(partial(asyncio.sleep, 0), turn)
        ended[name] = virtual.time() - 100

    async def story() -> None:
        first = asyncio.ensure_future(queue.run(limited, MASTER))
        await asyncio.sleep(1)
        waiting = asyncio.gather(ask("form", Turn()), ask("master", MASTER))
        with pytest.raises(CloudRateLimited):
            await first
        await ask("another form", Turn())
        await waiting

    virtual.run_until_complete(story())
    assert ended["form"] == ended["another form"] == pytest.approx(2)
    assert ended["master"] > 3000


def test_nobody_waits_for_ever(virtual: VirtualLoop) -> None:
    """Masters that use the whole budget up leave something to the list and the modules."""
    queue = AccountQueue()
    served: Counter[str] = Counter()

    async def again_and_again(name: str, priority: Priority) -> None:
        while virtual.time() < 100 + 12 * 3600:
            await queue.run(partial(asyncio.sleep, 0.1), Turn(priority, virtual.time()))
            served[name] += 1

    async def story() -> None:
        masters = [again_and_again(f"master {number}", Priority.MASTER) for number in range(5)]
        others = [again_and_again("module", Priority.MODULE), again_and_again("list", Priority.INVENTORY)]
        await asyncio.gather(*masters, *others)

    virtual.run_until_complete(story())
    total = served.total()
    assert total == pytest.approx(12 * HOURLY_CALLS, rel=0.1)
    assert served["module"] >= 10
    assert served["list"] >= 10
    assert sum(served[f"master {number}"] for number in range(5)) > total * 5 / 6 - 10
