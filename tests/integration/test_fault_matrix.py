"""Every outcome of a read (product contract, section 5) at every endpoint, in every phase, from the table below."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
import ipaddress
from itertools import batched, permutations
import json
import logging
from pathlib import Path
import socket
import ssl
import threading
from typing import Any, get_args, override
from unittest.mock import patch

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.cloud import transport
from custom_components.dyness_atess.telemetry.dyness.decoder import family_by_name
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.cygni import Cygni
from emulator.dyness.history import PowerHistory
from emulator.dyness.low_voltage import LowVoltage
from emulator.dyness.models import POWERBOX_G2
from emulator.dyness.points import Values
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault, FaultKind
from emulator.server import EmulatedCloud

from .conftest import Poll, account_entry

MASTER, BYSTANDER = "R07E00000000DEMO-BMS", "R07E00000002DEMO-BMS"
MODULE, OTHER_MODULE = "DEMO000000000001", "DEMO000000000002"
CYGNI, LONELY, UNLISTED, PBD, OTHER_PBD = "DEMOCYGNI", "DEMOLONELY-BMS", "DEMOUNLISTED-BMS", "DEMOPBD001", "DEMOPBD002"
SILENT = "DEMOSILENT-BMS"
NOON = datetime(2026, 6, 10, 11, 2, tzinfo=UTC)


class Outcome(Enum):
    """What a read ends in."""

    UNAVAILABLE = auto()
    LIMITED = auto()
    REJECTED = auto()
    EMPTY = auto()


WIRE = ("nobody_listens", "no_name", "bad_certificate", "no_tls", "too_large", "gzip_garbage", "redirect_elsewhere")
"""Faults of the way to the cloud, made here."""

OUTCOMES: dict[str, Outcome] = dict.fromkeys((*get_args(FaultKind), *WIRE), Outcome.UNAVAILABLE) | {
    "rate_limited": Outcome.LIMITED,
    "rate_limited_in_body": Outcome.LIMITED,
    "access_denied": Outcome.REJECTED,
    "null_data": Outcome.EMPTY,
    "empty_data": Outcome.EMPTY,
    "points_without_values": Outcome.EMPTY,
    "wrong_types": Outcome.EMPTY,
}
SLOW = ("hang", "slow_drip")


@dataclass(frozen=True, kw_only=True)
class Read:
    """One endpoint for one serial, and what depends on it."""

    path: str
    serial: str | None
    fed: Callable[[str], bool]
    """Whether an entity, by its unique id, lives on this read."""
    core: bool = True
    """Whether a rejection here speaks of the credentials."""
    period: float = 5.1
    """Minutes from one read to the next."""
    patience: float = 30
    """Minutes for which values stay where the cloud answers without any."""
    repeats: bool = True
    """False for what is asked for in each cycle until it is once known; that cycle is its retry."""
    counts_as: Mapping[str, Outcome | None] = field(default_factory=dict)
    """Where an outcome is not that of OUTCOMES; None is no fault at all."""


def of(serial: str) -> Callable[[str], bool]:
    return lambda unique_id: unique_id.startswith(f"{serial}-") and not unique_id.endswith("-work_status")


def keys(serial: str, *names: str) -> Callable[[str], bool]:
    return lambda unique_id: unique_id in {f"{serial}-{name}" for name in names}


CYGNI_FAMILY = family_by_name("cygni")
assert CYGNI_FAMILY
RUNNING = [str(key) for rule in CYGNI_FAMILY.running for key in rule.keys if key]
WITHOUT_FORM = {"wrong_types": Outcome.UNAVAILABLE, "points_without_values": Outcome.UNAVAILABLE}

READS = {
    "list": Read(
        path="/v1/device/storage/list",
        serial=None,
        fed=lambda unique_id: unique_id.endswith("-work_status"),
        period=30.1,
        patience=60,
        counts_as=WITHOUT_FORM,
    ),
    "master": Read(path="/v1/device/realTime/data", serial=MASTER, fed=of(MASTER)),
    "module": Read(path="/v1/device/realTime/data", serial=MODULE, fed=of(MODULE)),
    "running": Read(
        path="/v1/device/getLastRunningDataBySn",
        serial=CYGNI,
        fed=keys(CYGNI, *RUNNING),
        core=False,
        # An object of nulls is what an inverter without sun answers: no fault, and nothing to show.
        counts_as={"points_without_values": None, "wrong_types": None},
    ),
    "history": Read(
        path="/v1/device/getLastPowerDataBySn",
        serial=SILENT,
        fed=keys(SILENT, "soc", "energy_remaining"),
        core=False,
        counts_as={"points_without_values": None, "wrong_types": None},
    ),
    "station": Read(
        path="/v1/station/info",
        serial=LONELY,
        fed=keys(LONELY, "energy_rated", "energy_remaining"),
        core=False,
        period=30.1,
        repeats=False,
    ),
    "detail": Read(
        path="/v1/device/household/storage/detail",
        serial=UNLISTED,
        fed=keys(UNLISTED, "work_status"),
        core=False,
        period=30.1,
        repeats=False,
        counts_as={"points_without_values": None, "wrong_types": None},
    ),
    "pbd": Read(path="/pbd/data-last", serial=PBD, fed=of(PBD)),
}


class WithoutStateOfCharge(PowerHaus):
    """A battery whose state of charge only the day's records tell."""

    @override
    def system_values(self, now: datetime) -> Values:
        return super().system_values(now) | {"800": ""}


def devices(read: Read) -> list[Any]:
    """What the read is about, and a battery that it is not about."""
    if read.path.startswith("/pbd"):
        return [Pbd(serial=PBD), Pbd(serial=OTHER_PBD)]
    bystander = PowerHaus(serial=BYSTANDER, module_serial=OTHER_MODULE)
    match read.serial:
        case "DEMOCYGNI":
            return [bystander, Cygni(serial=CYGNI)]
        case "DEMOSILENT-BMS":
            return [
                bystander,
                WithoutStateOfCharge(serial=SILENT, module_serial="", sub=("null",), history=PowerHistory()),
            ]
        case "DEMOLONELY-BMS":
            return [bystander, LowVoltage(serial=LONELY, model=POWERBOX_G2, capacities=(100.0,), sub=("null",))]
        case "DEMOUNLISTED-BMS":
            return [bystander, PowerHaus(serial=UNLISTED, module_serial="", sub=("null",), listed=False)]
    return [bystander, PowerHaus(serial=MASTER, module_serial=MODULE)]


def new_entry(cloud: EmulatedCloud) -> MockConfigEntry:
    """An account of the cloud, with a subentry for each device that it does not list."""
    atess = isinstance(cloud, AtessCloud)
    return account_entry(cloud, *(serial for serial, device in cloud.devices.items() if atess or not device.listed))


class Elsewhere:
    """What is at the end of a wrong way: a server that no cloud is, and nobody at all."""

    def __init__(self) -> None:
        self.urls: dict[str, str] = {"no_name": "https://cloud.invalid"}
        self.followed = 0
        self._stack = AsyncExitStack()

    async def start(self, directory: Path, unused_port: int) -> None:
        app = web.Application()
        for name, handler in (
            ("too_large", self._too_large),
            ("gzip_garbage", self._gzip_garbage),
            ("redirect_elsewhere", self._redirect),
        ):
            app.router.add_route("*", f"/{name}/{{rest:.*}}", handler)
        app.router.add_route("*", "/followed", self._follow)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        plain = web.TCPSite(runner, "127.0.0.1", 0)
        await plain.start()
        secure = Impostor(directory)
        secure.start()
        self._stack.push_async_callback(secure.stop)
        self.urls["nobody_listens"] = f"http://127.0.0.1:{unused_port}"
        self.urls["bad_certificate"] = f"https://127.0.0.1:{secure.port}"
        self.urls["no_tls"] = f"https://127.0.0.1:{plain.port}"
        for name in ("too_large", "gzip_garbage", "redirect_elsewhere"):
            self.urls[name] = f"http://127.0.0.1:{plain.port}/{name}"

    async def stop(self) -> None:
        await self._stack.aclose()

    async def _too_large(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" " * 1024 * 1024)
        return response

    async def _gzip_garbage(self, _request: web.Request) -> web.Response:
        return web.Response(body=bytes(range(256)), headers={"Content-Encoding": "gzip"})

    async def _redirect(self, request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": str(request.url.with_path("/followed"))})

    async def _follow(self, _request: web.Request) -> web.Response:
        self.followed += 1
        return web.json_response({"code": "200", "data": {}, "info": ""})


class Impostor(threading.Thread):
    """A server whose certificate nobody has reason to trust, in a thread: it is told so in its event loop."""

    def __init__(self, directory: Path) -> None:
        super().__init__(name="impostor")
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(*self_signed(directory))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]

    @override
    def run(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            connection.settimeout(1)
            if connection.recv(1, socket.MSG_PEEK) == b"!":
                connection.close()
                return
            with suppress(OSError), self._tls.wrap_socket(connection, server_side=True) as trusting:
                trusting.recv(1)

    async def stop(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.send(b"!")
        await asyncio.to_thread(self.join)
        self._listening.close()


def self_signed(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody has reason to trust, and its key."""
    certificate, private = directory / "certificate.pem", directory / "key.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOON - timedelta(days=3650))
        .not_valid_after(NOON + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


class Way:
    """The way of all calls to the clouds: counts them, and leads those of a read elsewhere."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        self.calls: Counter[tuple[str, str | None]] = Counter()
        self._elsewhere = elsewhere
        self._faults: dict[tuple[str, str | None], list[Any]] = {}

    def lead(self, read: Read, kind: str, times: int | None) -> None:
        self._faults[read.path, read.serial] = [kind, times]

    def clear(self) -> None:
        self._faults.clear()

    async def exchange(self, session: aiohttp.ClientSession, method: str, url: str, **content: Any) -> transport.Answer:
        path = next(read.path for read in READS.values() if url.endswith(read.path))
        serial = {**json.loads(content.get("body") or "{}"), **(content.get("params") or {})}.get("deviceSn")
        self.calls[path, serial] += 1
        fault = self._faults.get((path, serial))
        if fault and fault[1] != 0:
            fault[1] = fault[1] and fault[1] - 1
            url = self._elsewhere.urls[fault[0]] + path
        return await transport.exchange(session, method, url, **content)


@pytest.fixture
async def elsewhere(tmp_path: Path, unused_tcp_port: int) -> AsyncGenerator[Elsewhere]:
    elsewhere = Elsewhere()
    await elsewhere.start(tmp_path, unused_tcp_port)
    yield elsewhere
    await elsewhere.stop()
    assert not elsewhere.followed


@pytest.fixture
def way(elsewhere: Elsewhere) -> Generator[Way]:
    way = Way(elsewhere)
    with (
        patch("custom_components.dyness_atess.cloud.dyness.exchange", way.exchange),
        patch("custom_components.dyness_atess.cloud.atess.exchange", way.exchange),
    ):
        yield way


class House:
    """A Home Assistant, an account, a cloud and the way between them."""

    def __init__(
        self, hass: HomeAssistant, cloud: EmulatedCloud, way: Way, poll: Poll, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.hass, self.cloud, self.way, self.poll, self.caplog = hass, cloud, way, poll, caplog
        self.entry = new_entry(cloud)
        self.entry.add_to_hass(hass)
        self._patience = patch.object(transport, "TIMEOUT", 0.6)

    async def settle(self) -> None:
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def start(self) -> None:
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()
        assert self.entry.state is ConfigEntryState.LOADED

    async def stop(self) -> None:
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.settle()

    def begin(self, read: Read, kind: str, times: int | None = None) -> None:
        if kind in SLOW:
            self._patience.start()
        if kind == "no_name":
            connector: Any = async_get_clientsession(self.hass).connector
            self.hass.data.setdefault("matrix_patches", []).append(
                patched := patch.object(connector._resolver, "resolve", side_effect=OSError("no such name"))
            )
            patched.start()
        if kind in WIRE:
            self.way.lead(read, kind, times)
        else:
            fault: FaultKind = kind  # type: ignore[assignment]
            self.cloud.add_fault(Fault(fault, path=read.path, serial=read.serial, times=times))

    def end(self) -> None:
        self._patience.stop()
        for patched in self.hass.data.pop("matrix_patches", []):
            patched.stop()
        self.way.clear()
        self.cloud.clear_faults()

    def states(self) -> dict[str, str]:
        """Return the state of each entity that measures, by unique id."""
        registry = er.async_get(self.hass)
        entries = er.async_entries_for_config_entry(registry, self.entry.entry_id)
        found = {entry.unique_id: self.hass.states.get(entry.entity_id) for entry in entries}
        return {unique_id: state.state for unique_id, state in found.items() if state}

    def available(self, which: Callable[[str], bool] = bool) -> set[str]:
        return {unique_id for unique_id, state in self.states().items() if state != "unavailable" and which(unique_id)}

    def calls(self, read: Read) -> int:
        """Return how many calls there were since the last time."""
        calls = self.way.calls[read.path, read.serial]
        self.way.calls.clear()
        return calls

    def logged(self) -> list[str]:
        """Return the levels of what was logged since the last time, apart from debugging."""
        name = "custom_components.dyness_atess"
        levels = [
            record.levelname
            for record in self.caplog.records
            if record.name.startswith(name) and record.levelno >= logging.INFO
        ]
        self.caplog.clear()
        return levels

    def reauthentications(self) -> int:
        flows = self.hass.config_entries.flow.async_progress()
        assert {flow["context"]["source"] for flow in flows} <= {SOURCE_REAUTH}
        return len(flows)

    async def reauthenticate(self) -> None:
        """Type the same credentials again, which reloads the entry."""
        (flow,) = self.hass.config_entries.flow.async_progress()
        data = {name: value for name, value in self.entry.data.items() if name not in ("region", "server")}
        result: Any = await self.hass.config_entries.flow.async_configure(flow["flow_id"], data)
        assert result["reason"] == "reauth_successful"
        await self.settle()


@pytest.fixture
async def make_house(
    hass: HomeAssistant, way: Way, poll: Poll, freezer: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture
) -> AsyncGenerator[Callable[[list[Any]], Any]]:
    freezer.move_to(NOON)
    caplog.set_level(logging.INFO)
    clouds: list[EmulatedCloud] = []

    async def make(devices: list[Any]) -> House:
        atess = isinstance(devices[0], Pbd)
        cloud = AtessCloud(devices=devices) if atess else DynessCloud(devices=devices, calls_per_second=None)
        await cloud.start()
        clouds.append(cloud)
        return House(hass, cloud, way, poll, caplog)

    yield make
    for cloud in clouds:
        await cloud.stop()
        assert not cloud.writes


def outcome_of(read: Read, kind: str) -> Outcome | None:
    outcome = read.counts_as.get(kind, OUTCOMES[kind])
    return Outcome.UNAVAILABLE if outcome is Outcome.REJECTED and not read.core else outcome


@pytest.mark.parametrize("kind", OUTCOMES)
@pytest.mark.parametrize("name", READS)
async def test_from_the_first_start_on(make_house: Any, name: str, kind: str) -> None:
    """Nothing is known yet: the entry loads, all other devices are there, and the rest comes by itself."""
    read = READS[name]
    house: House = await make_house(devices(read))
    outcome = outcome_of(read, kind)
    calls_per_cycle = 2 if outcome is Outcome.UNAVAILABLE and read.repeats else 1
    # A list without devices is what an account without devices has; a device without data is none.
    is_nothing = outcome is Outcome.EMPTY and name in ("list", "master", "module")
    noticed = outcome is not None and read.repeats and not is_nothing
    house.begin(read, kind)
    await house.start()
    assert outcome is None or not house.available(read.fed)
    assert house.calls(read) == calls_per_cycle
    assert house.logged() == ["ERROR"] * noticed
    assert house.reauthentications() == (outcome is Outcome.REJECTED)
    others = house.available() - house.available(read.fed)
    assert bool(others) == (name != "list")
    if outcome is not Outcome.REJECTED:
        await house.poll(5.1 if noticed else read.period)
        assert house.calls(read) == calls_per_cycle or not outcome
        assert others <= house.available()
        assert house.logged() == []
    house.end()
    if outcome is Outcome.REJECTED:
        await house.reauthenticate()
    else:
        await house.poll(5.1 if noticed else read.period)
        assert house.logged() in (["INFO"] * noticed, ["INFO"] * is_nothing)
    await house.poll(5.1)
    assert others <= house.available()
    assert house.available(read.fed) or name == "detail"
    assert "unavailable" not in house.states().values()
    assert house.entry.state is ConfigEntryState.LOADED


def groups() -> list[Any]:
    """Return who shares a Home Assistant: some faults with the same outcome at the same endpoint."""
    made = []
    for name, read in READS.items():
        for outcome in (*Outcome, None) if read.repeats else ():
            kinds = [kind for kind in OUTCOMES if outcome_of(read, kind) is outcome]
            label = outcome.name.lower() if outcome else "harmless"
            for number, some in enumerate(batched(kinds, 6, strict=False), start=1):
                made.append(pytest.param(name, some, id=f"{name}-{label}-{number}"))
    return made


@pytest.mark.parametrize(("name", "kinds"), groups())
async def test_later(make_house: Any, name: str, kinds: list[str]) -> None:
    """Each once and for hours, the last one over a restart too; others do not notice."""
    read = READS[name]
    house: House = await make_house(devices(read))
    await house.start()
    await house.poll(5.1)
    story = Story(house, read)
    for kind in kinds:
        try:
            await story.once(kind)
            await story.for_hours(kind)
            if kind == kinds[-1]:
                await story.over_a_restart(kind)
            await story.recovery(kind)
        except AssertionError as error:
            error.add_note(f"{name}, {kind}")
            raise


class Story:
    """What happens to a house whose entities all exist."""

    def __init__(self, house: House, read: Read) -> None:
        self.house, self.read = house, read
        self.all = house.available()
        self.fed = house.available(read.fed)
        self.others = self.all - self.fed
        assert self.fed
        assert self.others
        house.logged()

    def available(self) -> set[str]:
        """Return what is available; a PBD has more by now, as it learns."""
        return self.house.available() & self.all

    def calls_are(self, kind: str) -> bool:
        expected = 2 if outcome_of(self.read, kind) is Outcome.UNAVAILABLE else 1
        return self.house.calls(self.read) == expected

    async def once(self, kind: str) -> None:
        house, rejected = self.house, outcome_of(self.read, kind) is Outcome.REJECTED
        house.calls(self.read)
        house.begin(self.read, kind, 1)
        await house.poll(self.read.period)
        # A GET whose connection is dropped is sent again by aiohttp itself.
        assert self.calls_are(kind) or (self.read is READS["pbd"] and kind == "drop")
        assert self.available() == (self.others if rejected else self.all)
        assert house.logged() == ["ERROR"] * rejected
        assert house.reauthentications() == rejected
        house.end()
        if rejected:
            await house.reauthenticate()
        await house.poll(self.read.period)
        assert self.available() == self.all
        assert house.logged() == []

    async def for_hours(self, kind: str) -> None:
        house, read, outcome = self.house, self.read, outcome_of(self.read, kind)
        before = house.states()
        house.calls(read)
        house.begin(read, kind)
        await house.poll(read.period)
        assert self.calls_are(kind)
        if outcome in (Outcome.LIMITED, Outcome.EMPTY):
            assert self.available() == self.all
            assert {key: before[key] for key in self.fed} == {key: house.states()[key] for key in self.fed}
            assert house.logged() == []
            await house.poll(read.patience + 1)
            house.calls(read)
            await house.poll(5.1)
            assert self.calls_are(kind)
        assert self.available() == (self.others if outcome else self.all)
        assert house.logged() == ["ERROR"] * bool(outcome)
        assert house.reauthentications() == (outcome is Outcome.REJECTED)
        await house.poll(5.1)
        assert house.logged() == []

    async def over_a_restart(self, kind: str) -> None:
        house, outcome = self.house, outcome_of(self.read, kind)
        await house.stop()
        house.logged()
        await house.start()
        assert house.states().keys() >= self.all
        assert self.available() == (self.others if outcome else self.all)
        assert house.logged() == ["ERROR"] * bool(outcome)

    async def recovery(self, kind: str) -> None:
        house, outcome = self.house, outcome_of(self.read, kind)
        house.end()
        if outcome is Outcome.REJECTED:
            await house.reauthenticate()
            house.logged()
        await house.poll(5.1)
        assert self.available() == self.all
        assert house.logged() == ["INFO"] * (outcome not in (None, Outcome.REJECTED))
        assert house.entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("second", ["well", "garbage", "rate_limited", "null_data", "access_denied"])
@pytest.mark.parametrize("first", ["network_anomaly", "drop", "nobody_listens"])
@pytest.mark.parametrize("name", ["master", "module", "pbd"])
async def test_a_retry_with_a_fault_of_its_own(make_house: Any, name: str, first: str, second: str) -> None:
    """What the second call ends in is the outcome of the cycle."""
    read = READS[name]
    house: House = await make_house(devices(read))
    await house.start()
    await house.poll(5.1)
    story = Story(house, read)
    outcome = None if second == "well" else OUTCOMES[second]
    is_lost = outcome in (Outcome.UNAVAILABLE, Outcome.REJECTED)
    house.calls(read)
    house.begin(read, first, 1)
    if outcome:
        house.begin(read, second, 1)
    await house.poll(5.1)
    # A GET whose connection is dropped is sent again by aiohttp itself, which sees no fault then.
    if not (read is READS["pbd"] and first == "drop"):
        assert house.calls(read) == 2
        assert story.available() == (story.others if is_lost else story.all)
        assert house.logged() == ["ERROR"] * is_lost
        assert house.reauthentications() == (outcome is Outcome.REJECTED)


SEQUENCES = list(permutations(("http_500", "rate_limited_in_body", "points_without_values", "access_denied")))


@pytest.mark.parametrize("kinds", SEQUENCES, ids="-".join)
async def test_one_after_the_other(make_house: Any, kinds: tuple[str, ...]) -> None:
    """Values that are lost stay so whatever goes wrong next, and nobody is told twice.

    A cloud that refused the credentials is asked again after half an hour, and takes its wish for others back.
    """
    read = READS["master"]
    house: House = await make_house(devices(read))
    await house.start()
    await house.poll(5.1)
    story = Story(house, read)
    is_lost = is_rejected = False
    house.way.calls.clear()
    for kind in kinds:
        house.begin(read, kind, 2 if OUTCOMES[kind] is Outcome.UNAVAILABLE else 1)
        await house.poll(5.1)
        assert house.calls(read) == (0 if is_rejected else 2 if OUTCOMES[kind] is Outcome.UNAVAILABLE else 1)
        was_lost, is_lost = is_lost, is_lost or OUTCOMES[kind] in (Outcome.UNAVAILABLE, Outcome.REJECTED)
        is_rejected = is_rejected or OUTCOMES[kind] is Outcome.REJECTED
        assert story.available() == (story.others if is_lost else story.all)
        assert house.logged() == ["ERROR"] * (is_lost and not was_lost)
        assert house.reauthentications() == is_rejected
    house.end()
    await house.poll(30.1)
    await house.poll(5.1)
    assert story.available() == story.all
    assert house.logged() == ["INFO"]
    assert house.reauthentications() == 0


async def test_all_at_once(make_house: Any) -> None:
    """Each serial has a fault of its own, and each gets what it deserves."""
    dead, limited, empty, retried, well = (f"DEMO{number}-BMS" for number in range(5))
    serials = (dead, limited, empty, retried, well)
    house: House = await make_house([PowerHaus(serial=serial, module_serial="", sub=("null",)) for serial in serials])
    await house.start()
    await house.poll(5.1)
    all_of_them = house.available()
    house.logged()
    reads = {serial: replace(READS["master"], serial=serial, fed=of(serial)) for serial in serials}
    house.way.calls.clear()
    house.begin(reads[dead], "nobody_listens")
    house.begin(reads[limited], "rate_limited")
    house.begin(reads[empty], "points_without_values")
    house.begin(reads[retried], "garbage", 1)
    house.begin(READS["list"], "http_500")
    await house.poll(5.1)
    path = READS["master"].path
    assert [house.way.calls[path, serial] for serial in serials] == [2, 1, 1, 2, 1]
    assert house.available() == all_of_them - fed_by(reads[dead], all_of_them)
    assert house.logged() == ["ERROR"]
    for _ in range(7):
        await house.poll(5.1)
    lost = set().union(*(fed_by(read, all_of_them) for read in (*list(reads.values())[:3], READS["list"])))
    assert house.available() == all_of_them - lost
    assert house.logged() == ["ERROR"] * 3
    assert house.reauthentications() == 0
    house.end()
    await house.poll(5.1)
    assert house.available() == all_of_them
    assert house.logged() == ["INFO"] * 4


def fed_by(read: Read, unique_ids: set[str]) -> set[str]:
    return set(filter(read.fed, unique_ids))
