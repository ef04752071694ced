"""An event loop whose time stands still while anything happens, and how long each of its callbacks takes."""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
import gc
from selectors import DefaultSelector
import time
from typing import Any, override
from unittest.mock import patch

BEGIN = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
IS_BARE: ContextVar[bool] = ContextVar("IS_BARE", default=False)
"""Whether a callback is one of those that ours are compared with; timers and tasks inherit it."""


class _Selector(DefaultSelector):
    """Jumps to the next timer instead of waiting for it, unless a thread has something to do."""

    now = 0.0
    in_executor = 0

    @override
    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or (self.in_executor and timeout):
            return super().select()
        self.now += timeout
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Waits for real only for threads."""

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
        def returned(_: object) -> None:
            self._simulated.in_executor -= 1

        self._simulated.in_executor += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(returned)
        return future


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


class Slices:
    """Seconds of processor time that callbacks take, without the interpreter's collection of garbage."""

    def __init__(self) -> None:
        self.bare = self.ours = 0.0
        self.longest = 0.0, ""

    @contextmanager
    def measured(self) -> Generator[None]:
        """Measure the callbacks that begin and end meanwhile."""
        run, clock, is_over = asyncio.Handle._run, time.thread_time, False  # noqa: SLF001

        def timed(handle: asyncio.Handle) -> None:
            callback: Any = handle._callback  # type: ignore[attr-defined]  # noqa: SLF001
            task = getattr(callback, "__self__", None)
            of: Any = task.get_coro() if isinstance(task, asyncio.Task) else callback
            name = getattr(of, "__qualname__", "partial")
            begin = clock()
            run(handle)
            taken = 0.0 if is_over else clock() - begin
            if handle._context.get(IS_BARE):  # type: ignore[attr-defined]  # noqa: SLF001
                self.bare += taken
            else:
                self.ours += taken
            if taken > self.longest[0]:
                self.longest = taken, name

        gc.collect()
        gc.disable()
        with patch.object(asyncio.Handle, "_run", timed):
            yield
            is_over = True
        gc.enable()
