"""What both emulated clouds have in common: a server on loopback, its log of calls, and faults."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web

from .dyness.devices import Device
from .faults import PAGE, Fault, Reply, VendorFaults, send, spoil, spring_error

Clock = Callable[[], datetime]


def real_time() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request: its path without the prefix, and the code of the answer or the fault that it met."""

    at: datetime
    path: str
    serial: str | None
    outcome: str


class EmulatedCloud(ABC):
    """A cloud on loopback. `devices` (by serial) may be changed while it runs."""

    prefix: str
    vendor: VendorFaults

    def __init__(self, *, devices: Iterable[Device]) -> None:
        self.devices = {device.serial: device for device in devices}
        self.calls: list[Call] = []
        self.writes: list[Call] = []
        self.clock: Clock = real_time
        self._faults: list[tuple[Fault, int | None]] = []
        self._runner: web.AppRunner | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Base URL without a path. It stays known after `stop`, for whoever looks at a cloud that is gone."""
        if self._url is None:
            raise RuntimeError("The cloud was never started")
        return self._url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes any free one."""
        app = web.Application()
        app.router.add_get("/portal", _portal)
        app.router.add_post("/control/faults", self._post_fault)
        app.router.add_delete("/control/faults", self._delete_faults)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._url = f"http://{host}:{site.port}"

    async def stop(self) -> None:
        """Close every connection, also those that still wait for their answer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def add_fault(self, fault: Fault) -> None:
        """Let calls go wrong; of the faults that hit one the oldest acts."""
        self._faults.append((fault, fault.times))

    def clear_faults(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    def device(self, serial: str | None) -> Device | None:
        """Find a device or the module of one."""
        everything = (found for device in self.devices.values() for found in (device, *device.modules))
        return next((found for found in everything if found.serial == serial), None)

    @abstractmethod
    def serial(self, request: web.Request, body: bytes) -> str | None:
        """Which device a request is about, as far as it can be read."""

    @abstractmethod
    def is_write(self, request: web.Request, path: str) -> bool:
        """Whether the real cloud would change something."""

    @abstractmethod
    def answer(self, request: web.Request, path: str, body: bytes) -> Reply:
        """Answer as the cloud does when all is well with it."""

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(self.prefix)
        body = await request.read()
        serial = self.serial(request, body)
        fault = None
        if path == request.path:
            reply = spring_error(HTTPStatus.NOT_FOUND, path)
        else:
            fault = self._take_fault(path, serial)
            reply = self.answer(request, path, body)
        outcome = fault.kind if fault else str(reply.body.get("code", reply.status))
        call = Call(at=self.clock(), path=path, serial=serial, outcome=outcome)
        self.calls.append(call)
        if self.is_write(request, path):
            self.writes.append(call)
        return await spoil(fault, reply, request, self.vendor) if fault else send(reply)

    def _take_fault(self, path: str, serial: str | None) -> Fault | None:
        for index, (fault, left) in enumerate(self._faults):
            if fault.path in (None, path) and fault.serial in (None, serial):
                if left == 1:
                    del self._faults[index]
                elif left is not None:
                    self._faults[index] = fault, left - 1
                return fault
        return None

    async def _post_fault(self, request: web.Request) -> web.Response:
        try:
            fault = Fault(**await request.json())
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)
        self.add_fault(fault)
        return web.json_response(asdict(fault))

    async def _delete_faults(self, _request: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response([])


async def _portal(_request: web.Request) -> web.Response:
    """Where the fault `redirect` leads."""
    return web.Response(text=PAGE.format("Please log in"), content_type="text/html")
