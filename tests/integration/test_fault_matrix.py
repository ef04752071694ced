"""Every outcome of a read (product contract, section 5) at every endpoint: once, for an hour, and from the start on.

Faults of the clouds are the emulator's own list; those of the way to them are made here.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
import ssl
from typing import Any, cast, get_args, override
from unittest.mock import patch

from aiohttp import ClientSession
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest

from custom_components.dyness_atess.cloud import transport
from custom_components.dyness_atess.entity import TIMELESS
from custom_components.dyness_atess.telemetry.dyness.decoder import family_by_name
from custom_components.dyness_atess.telemetry.vocabulary import OUTLOOK
from emulator.atess.pbd import Pbd
from emulator.dyness.cygni import Cygni
from emulator.dyness.history import PowerHistory
from emulator.dyness.low_voltage import LowVoltage
from emulator.dyness.models import POWERBOX_G2
from emulator.dyness.points import Values
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault, FaultKind

from .conftest import Live, logged

MASTER, MODULE, OTHER = "R07E00000000DEMO-BMS", "DEMO000000000001", "R07E00000002DEMO-BMS"
CYGNI, LONELY, WITHOUT_SOC, PBD = "DEMOCYGNI", "DEMOLONELY-BMS", "DEMOSILENT-BMS", "DEMOPBD001"
OTHER_PBD = "DEMOPBD002"
LOST = ("unavailable", "unknown")
LONG = ("network_anomaly", "hang", "nobody_listens")
"""Last for an hour; other faults that end as these do for four minutes."""


UNAVAILABLE, LIMITED, EMPTY, HARMLESS = "unavailable", "limited", "empty", "harmless"
"""What a read ends in."""
WIRE = ("nobody_listens", "no_name", "bad_certificate", "no_tls")
"""Faults of the way to the cloud; bodies and redirects that are refused are in `tests/cloud`."""
OUTCOMES = dict.fromkeys((*get_args(FaultKind), *WIRE), UNAVAILABLE) | {
    **dict.fromkeys(("rate_limited", "rate_limited_in_body"), LIMITED),
    **dict.fromkeys(("null_data", "empty_data", "points_without_values", "wrong_types"), EMPTY),
}
WITHOUT_FORM = dict.fromkeys(("wrong_types", "points_without_values"), UNAVAILABLE)
WITHOUT_EFFECT = dict.fromkeys(("wrong_types", "points_without_values"), HARMLESS)


class WithoutStateOfCharge(PowerHaus):
    """A battery whose state of charge only the day's records have."""

    @override
    def system_values(self, now: datetime) -> Values:
        return super().system_values(now) | {"800": ""}


@dataclass(frozen=True, kw_only=True)
class Read:
    """One endpoint for one serial, what depends on it, and where an outcome is not that of OUTCOMES."""

    path: str = "/v1/device/realTime/data"
    serial: str | None
    device: Callable[[], Any] = lambda: PowerHaus(serial=MASTER, module_serial=MODULE)
    fed: Callable[[str], bool] = lambda _: False
    """Whether an entity, by its unique id, lives on this read."""
    back_within: int = 0
    """Seconds after a fault, where it is not the 70 after a short one and the 300 after a long one."""
    counts_as: Mapping[str, str] = field(default_factory=dict)

    def outcome(self, kind: str) -> str:
        return self.counts_as.get(kind, OUTCOMES[kind])


def of(serial: str) -> Callable[[str], bool]:
    return lambda unique_id: unique_id.startswith(f"{serial}-") and not unique_id.endswith("-work_status")


def keys(serial: str, *names: str) -> Callable[[str], bool]:
    return lambda unique_id: unique_id in {f"{serial}-{name}" for name in names}


def alone(kind: Callable[..., Any], serial: str, **fields: Any) -> Callable[[], Any]:
    """Make a battery without modules."""
    return lambda: kind(serial=serial, sub=("null",), **fields)


RUNNING = [key for rule in getattr(family_by_name("cygni"), "running", ()) for key in rule.keys if key]
READS = {
    "list": Read(
        path="/v1/device/storage/list", serial=None, fed=lambda key: key.endswith("work_status"), counts_as=WITHOUT_FORM
    ),
    "master": Read(serial=MASTER, fed=of(MASTER)),
    "module": Read(serial=MODULE, fed=of(MODULE)),
    "running": Read(
        path="/v1/device/getLastRunningDataBySn",
        serial=CYGNI,
        device=lambda: Cygni(serial=CYGNI),
        fed=keys(CYGNI, *RUNNING),
    ),
    "history": Read(
        path="/v1/device/getLastPowerDataBySn",
        serial=WITHOUT_SOC,
        device=alone(WithoutStateOfCharge, WITHOUT_SOC, module_serial="", history=PowerHistory()),
        fed=keys(WITHOUT_SOC, "soc", "energy_remaining"),
        back_within=650,  # asked with the next sample after its retry is due
        counts_as=WITHOUT_EFFECT,
    ),
    "pbd": Read(path="/pbd/data-last", serial=PBD, device=lambda: Pbd(serial=PBD), fed=of(PBD), back_within=330),
}
AT_THE_START = READS | {
    "station": Read(
        path="/v1/station/info",
        serial=LONELY,
        device=alone(LowVoltage, LONELY, model=POWERBOX_G2, capacities=(100.0,)),
        fed=keys(LONELY, "energy_rated", "energy_remaining"),
    ),
    "detail": Read(
        path="/v1/device/household/storage/detail",
        serial=LONELY,
        device=alone(PowerHaus, LONELY, module_serial="", listed=False),
    ),
}


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that nobody has reason to trust."""
    key, now, file = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC), tmp_path_factory.mktemp("tls") / "pem"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(9)).sign(key, hashes.SHA256())
    pem, unencrypted = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unencrypted)
    file.write_bytes(private + made.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@pytest.fixture
async def elsewhere(
    hass: HomeAssistant, self_signed: ssl.SSLContext, unused_tcp_port: int
) -> AsyncGenerator[dict[str, str]]:
    """Where the wrong ways to a cloud end; no name is resolved."""
    connector: Any = async_get_clientsession(hass).connector
    hang_up = [lambda _, writer: writer.close(), "127.0.0.1", 0]
    async with (
        await asyncio.start_server(*hang_up) as plain,
        await asyncio.start_server(*hang_up, ssl=self_signed) as impostor,
    ):
        with patch.object(connector._resolver, "resolve", side_effect=OSError("no such name")):
            yield {
                "no_name": "https://cloud.invalid",
                "nobody_listens": f"http://127.0.0.1:{unused_tcp_port}",
                "bad_certificate": f"https://127.0.0.1:{impostor.sockets[0].getsockname()[1]}",
                "no_tls": f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}",
            }


class House:
    """A Home Assistant with an account, and what is wrong with one read of it."""

    def __init__(self, hass: HomeAssistant, live: Live, elsewhere: dict[str, str], log: Any) -> None:
        self.hass, self.live, self._elsewhere, self._log = hass, live, elsewhere, log
        self._exchange, self._wrong = transport.exchange, ""
        self.calls = self._left = 0
        """Of the read, and how many of them still go a wrong way."""

    async def set_up(self, read: Read, kind: str = "", *, alone: bool = False) -> None:
        self.read, device = read, read.device()
        is_pbd = isinstance(device, Pbd)
        other = Pbd(serial=OTHER_PBD) if is_pbd else PowerHaus(serial=OTHER, module_serial="DEMO000000000002")
        added, faults = [] if device.listed else [device.serial], self.wrong_from_now_on(kind)
        devices = [device] if alone else [device, other]
        self.cloud, self.entry = await self.live.start(*devices, added=added, faults=faults)
        assert self.entry.state is ConfigEntryState.LOADED

    async def exchange(self, session: ClientSession, method: str, url: str, **content: Any) -> transport.Answer:
        serial = {**json.loads(content.get("body") or "{}"), **(content.get("params") or {})}.get("deviceSn")
        if url.endswith(self.read.path) and serial == self.read.serial:
            self.calls += 1
            self._left -= 1
            if self._wrong and self._left >= 0:
                url = self._elsewhere[self._wrong] + self.read.path
        return await self._exchange(session, method, url, **content)

    def wrong_from_now_on(self, kind: str, times: int | None = None) -> list[Fault]:
        """Let calls go another way, or return how the cloud spoils them."""
        self.calls = 0
        if kind in WIRE:
            self._wrong, self._left = kind, times or 1000
        elif kind:
            return [Fault(cast("FaultKind", kind), path=self.read.path, serial=self.read.serial, times=times)]
        return []

    def begin(self, kind: str, times: int | None = None) -> None:
        for fault in self.wrong_from_now_on(kind, times):
            self.cloud.add_fault(fault)

    def end(self) -> None:
        self._wrong = ""
        self.cloud.clear_faults()

    async def until_asked(self) -> None:
        self.calls = 0
        while not self.calls:
            await self.live(0.1)

    def states(self, *, fed: bool) -> dict[str, str]:
        """Return the states of the entities that live on this read, or of the others, by unique id.

        Without those of the account as a whole, which live on several reads (`test_combined.py`).
        """
        entries = er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)
        of_devices = [entry for entry in entries if not entry.unique_id.startswith(self.entry.entry_id)]
        states = {entry.unique_id: self.hass.states.get(entry.entity_id) for entry in of_devices}
        no_measurement = ("alarm_event", *OUTLOOK)
        devices = {key: found.state for key, found in states.items() if found and not key.endswith(no_measurement)}
        return {key: state for key, state in devices.items() if self.read.fed(key) == fed}

    def lost(self, *, fed: bool) -> set[str]:
        return {key for key, state in self.states(fed=fed).items() if state in LOST}

    def logged(self) -> list[str]:
        """Return the levels of what was logged since the last time, but for the news that calls wait."""
        levels = [level for level, text in logged(self._log) if "wait for" not in text and "read again" not in text]
        self._log.clear()
        return levels

    def check_lost(self, before: dict[str, str]) -> None:
        """What does not age stays; a device that is not reached is off and not unknown."""
        for unique_id, state in self.states(fed=True).items():
            key = unique_id.rpartition("-")[2]
            if key in TIMELESS:
                assert state == before[unique_id], key
            else:
                assert state in (("off",) if key == "online" else LOST), key

    async def check_back(self, lost: set[str], back_within: int) -> None:
        """Values are back in time."""
        self.end()
        waited = 0
        while self.lost(fed=True) - lost:
            await self.live(1 / 6)
            waited += 10
            assert waited <= back_within + 10


@pytest.fixture
def house(
    hass: HomeAssistant, hass_storage: Any, live: Live, elsewhere: dict[str, str], caplog: pytest.LogCaptureFixture
) -> Generator[House]:
    house = House(hass, live, elsewhere, caplog)
    with (
        patch("custom_components.dyness_atess.cloud.transport.exchange", house.exchange),
        patch("emulator.faults.DRIP_SECONDS", transport.TIMEOUT),
    ):
        yield house


def groups(reads: dict[str, Read]) -> list[Any]:
    """Return what shares a Home Assistant: faults of the same outcome at the same endpoint; limits have effects."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for name, read in reads.items():
        for kind in OUTCOMES:
            outcome = read.outcome(kind)
            group = f"{name}-{kind if outcome is LIMITED else outcome}"
            found.setdefault(group, (name, outcome, []))[2].append(kind)
    return [pytest.param(*group, id=name) for name, group in found.items()]


@pytest.mark.parametrize(("name", "outcome", "kinds"), groups(READS))
async def test_later(house: House, name: str, outcome: str, kinds: list[str]) -> None:
    """Once: nobody notices. For long: one line when values are lost and one when they are back; others live on."""
    await house.set_up(READS[name])
    await house.live(22)
    lost = house.lost(fed=True)
    for kind in kinds:
        house.logged()
        house.begin(kind, 1)
        await house.until_asked()
        await house.live(1.25)
        assert (house.lost(fed=True), house.lost(fed=False), house.logged()) == (lost, set(), []), kind
        house.end()
        if kind == "slow_drip" or outcome is EMPTY:
            await house.until_asked()  # with an answer
        if kind == "slow_drip":  # it takes real time, and ends as one that hangs
            continue
        before, minutes = (
            house.states(fed=True),
            60 if outcome is not UNAVAILABLE or kind in LONG or name == "history" else 4,
        )
        # The history has no values of its own: only that it is not reached is worth a line.
        is_logged = outcome is UNAVAILABLE or (outcome is not HARMLESS and name != "history")
        house.begin(kind)
        await house.until_asked()
        await house.live(1)
        if outcome is not UNAVAILABLE or name == "history":
            assert house.lost(fed=True) == lost, kind
        elif name != "pbd":  # which is asked again after its interval, where the cloud has refused it
            house.check_lost(before)
        await house.live(minutes - 1)
        if outcome is not HARMLESS:
            house.check_lost(before)
        assert house.calls < 20, kind
        logged = house.logged()
        if outcome is LIMITED:  # the whole account pauses, and the calls that are left are for masters
            assert not [key for key in house.lost(fed=False) if of(OTHER)(key) or of(OTHER_PBD)(key)]
            assert logged in ([], ["ERROR"])
        else:
            assert (house.lost(fed=False), logged) == (set(), ["ERROR"] * is_logged), kind
        law = 3600 if outcome is LIMITED else 70 if minutes < 5 else 300
        await house.check_back(lost, max(law, house.read.back_within))
        if outcome is not LIMITED:
            assert house.logged() == ["INFO"] * is_logged, kind
        assert not house.hass.config_entries.flow.async_progress()


@pytest.mark.parametrize(
    ("kind", "minutes", "calls", "back_within", "requests"),
    [
        ("network_anomaly", 4, 8, 70, 0),
        ("network_anomaly", 60, 19, 300, 0),
        ("hang", 355, 90, 320, 0),
        ("access_denied", 60, 19, 300, 1),
    ],
)
async def test_the_whole_cloud(
    house: House, kind: FaultKind, minutes: int, calls: int, back_within: int, requests: int
) -> None:
    """What an outage costs one pack, how soon it is over, and who is asked for credentials meanwhile."""
    await house.set_up(Read(serial="", fed=lambda _: True), alone=True)
    await house.live(22)
    before, flows = house.states(fed=True), house.hass.config_entries.flow.async_progress
    house.logged()
    house.cloud.calls.clear()
    house.cloud.add_fault(Fault(kind))
    while not house.cloud.calls:
        await house.live(0.1)
    await house.live(minutes)
    assert len([call for call in house.cloud.calls if call.serial]) <= calls
    assert set(house.logged()) == {"ERROR"}
    assert len(flows()) == requests
    if minutes > 30:
        house.check_lost(before)
    await house.check_back(set(), back_within)
    assert set(house.logged()) == {"INFO"}
    assert not flows()


@pytest.mark.parametrize("name", AT_THE_START)
async def test_from_the_start_on(house: House, name: str) -> None:
    """Nothing is known yet: the entry loads, all other devices are there, and the rest comes by itself."""
    read = AT_THE_START[name]
    for kind in (
        OUTCOMES if name in ("list", "master", "pbd") else (*LONG, "rate_limited", "null_data", "access_denied")
    ):
        outcome = read.outcome(kind)
        began = datetime.now(UTC)
        await house.set_up(read, kind)
        assert datetime.now(UTC) - began < timedelta(seconds=20), kind
        await house.live(2)
        assert outcome is HARMLESS or house.lost(fed=True) == house.states(fed=True).keys(), kind
        assert bool(house.states(fed=False).keys() - house.lost(fed=False)) == (name != "list"), kind
        assert set(house.logged()) <= {"ERROR"}
        await house.check_back(set(), 300)
        await house.live(
            36 if name in ("list", "station", "pbd") else 6
        )  # an account may have nothing, a PBD be an HPS
        assert house.states(fed=True) or name == "detail", kind
        assert not house.lost(fed=True) | house.lost(fed=False), kind
        assert not house.hass.config_entries.flow.async_progress()
        await house.live.until(house.hass.config_entries.async_remove(house.entry.entry_id))
        await house.cloud.stop()
        house.logged()
