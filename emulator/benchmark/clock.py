"""An event loop whose time stands still while anything happens, and how long each of its callbacks takes."""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import gc
from selectors import DefaultSelector
import time
from typing import Any, override
from unittest.mock import patch

BEGIN = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)

OWNER: ContextVar[str] = ContextVar("OWNER", default="Home Assistant")
"""On whose behalf a callback runs; timers and tasks inherit it."""


class _Selector(DefaultSelector):
    """Lets time jump where it would wait for a timer."""

    now = 0.0
    in_executor = 0

    @override
    def select(self, timeout: float | None = None) -> Any:
        if self.in_executor and timeout != 0:
            return super().select()
        if timeout:
            self.now += timeout
        return super().select(0 if timeout is not None else None)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Waits for real only where a thread has something to do."""

    def __init__(self) -> None:
        self._simulated = _Selector()
        self._utcnow = 0.0, BEGIN
        super().__init__(self._simulated)

    @override
    def time(self) -> float:
        return self._simulated.now

    def utcnow(self) -> datetime:
        """Return the simulated time, as quickly as a clock."""
        if self._utcnow[0] != self._simulated.now:
            self._utcnow = self._simulated.now, BEGIN + timedelta(seconds=self._simulated.now)
        return self._utcnow[1]

    @override
    def run_in_executor[*Arguments, Result](
        self, executor: Executor | None, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        future = super().run_in_executor(executor, func, *args)
        self._simulated.in_executor += 1
        future.add_done_callback(self._returned)
        return future

    def _returned(self, _: object) -> None:
        self._simulated.in_executor -= 1


@contextmanager
def simulated() -> Generator[SimulatedLoop]:
    """Give a loop by whose time Home Assistant lives."""
    loop = SimulatedLoop()
    with (
        patch("homeassistant.util.dt.utcnow", loop.utcnow),
        patch("homeassistant.helpers.event.time_tracker_utcnow", loop.utcnow),
        patch("homeassistant.helpers.event.time_tracker_timestamp", lambda: loop.utcnow().timestamp()),
    ):
        yield loop
    loop.close()


@dataclass
class Slices:
    """Seconds of processor time that the callbacks of a loop take, without the interpreter's collection of garbage."""

    total: dict[str, float] = field(default_factory=dict)
    """By owner."""
    longest: float = 0.0
    slowest: str = ""

    @contextmanager
    def measured(self) -> Generator[None]:
        """Measure what runs meanwhile."""
        run, clock = asyncio.Handle._run, time.thread_time  # noqa: SLF001

        def timed(handle: asyncio.Handle) -> None:
            begin = clock()
            run(handle)
            taken = clock() - begin
            owner = handle._context.get(OWNER, "Home Assistant")  # type: ignore[attr-defined]  # noqa: SLF001
            self.total[owner] = self.total.get(owner, 0.0) + taken
            if taken > self.longest:
                self.longest, self.slowest = taken, _name(handle)

        gc.collect()
        gc.disable()
        asyncio.Handle._run = timed  # type: ignore[assignment, method-assign]  # noqa: SLF001
        try:
            yield
        finally:
            asyncio.Handle._run = run  # type: ignore[method-assign]  # noqa: SLF001
            gc.enable()


def _name(handle: asyncio.Handle) -> str:
    called: Any = getattr(handle, "_callback", None)
    task = getattr(called, "__self__", None)
    of = task.get_coro() if isinstance(task, asyncio.Task) else called
    return str(getattr(of, "__qualname__", of))
