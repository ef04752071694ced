"""Whatever a server answers, a client and a decoder make a declared outcome of it, over real HTTP.

FUZZ_EXAMPLES=20000 makes it thorough; without it the examples take some seconds.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
import gzip
import json
import math
import os
from random import Random
from typing import Any
from unittest.mock import patch

import aiohttp
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.dyness_atess.cloud.atess import AtessClient
from custom_components.dyness_atess.cloud.dyness import DynessClient
from custom_components.dyness_atess.cloud.errors import CloudError
from custom_components.dyness_atess.cloud.queue import AccountQueue
from custom_components.dyness_atess.telemetry.atess.decoder import ConverterDecoder
from custom_components.dyness_atess.telemetry.device import Device
from custom_components.dyness_atess.telemetry.dyness.alarm_list import decode_alarms
from custom_components.dyness_atess.telemetry.dyness.decoder import decode, decode_running
from custom_components.dyness_atess.telemetry.dyness.families import FAMILIES
from custom_components.dyness_atess.telemetry.dyness.history import day_begins, latest_soc, samples
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import Key
from emulator.atess.pbd import Pbd
from emulator.dyness.catalogue import build

NOW = datetime(2026, 6, 10, 11, 2, tzinfo=UTC)
SERIAL = "DEMO-BMS"
HEALTHY = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a server sends: a status, headers as they are written, a body."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    announced: int = 0
    """Bytes that Content-Length has more, or less, than there are."""

    def raw(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Any", "Content-Type: application/json", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if "Transfer-Encoding" not in dict(self.headers):
            lines.append(f"Content-Length: {max(len(self.body) + self.announced, 0)}")
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + self.body


type Call = Callable[[aiohttp.ClientSession, str], Coroutine[Any, Any, Any]]
type Ask = Callable[[Call, Answered], Any]


@pytest.fixture
def ask(socket_enabled: None) -> Generator[Ask]:
    """Ask a server that answers everything so. None where a read ended in one of the declared ways."""
    answer = Answered()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
            writer.write(answer.raw())
            await writer.drain()
        except ConnectionError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def begin() -> tuple[asyncio.Server, aiohttp.ClientSession]:
        return await asyncio.start_server(handle, "127.0.0.1", 0), aiohttp.ClientSession()

    with asyncio.Runner() as runner, patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 5.0):
        server, session = runner.run(begin())
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        def ask(call: Call, to_answer: Answered) -> Any:
            nonlocal answer
            answer = to_answer
            try:
                return runner.run(asyncio.wait_for(call(session, url), 20))
            except CloudError as error:
                return None if SERIAL not in str(error) else pytest.fail("a serial number in an error")

        yield ask
        server.close()
        runner.run(session.close())


# What a value may be: all that JSON knows, at its edges too, and texts that look like numbers, times and serials.
ODD_TEXTS = (
    *("", " ", "null", "NaN", "inf", "-inf", "1e999", "-0", "0x10", "١٢", "1,5", "9" * 400, "1e-9999", "--1", ".5"),
    *("2026-06-10 11:00:00", "0000-00-00 00:00:00", "9999-12-31 23:59:59", "2026-06-10T11:00:00+99:99"),
    *("\ud800", "\0", "T", "SUB", "SOC", SERIAL, "A,,B,A", "1000", "800"),
)
HEADERS = {
    "Retry-After": ("0", "5", "-1", "soon", "9" * 400, "1e5", "٣"),
    "Date": ("", "now", "Wed, 99 Jun 2026 11:02:00 GMT", "1 Jan 0001 00:00:00 +2359", "1 Jan 9999999 0:0:0 +99999999"),
    "Content-Encoding": ("gzip", "deflate", "br", "zstd", "gzip, gzip"),
    "Content-Type": ("", "text/html", "a/b; charset=nonsense", "x" * 200),
    "Location": ("/", "http://[", "https://elsewhere.invalid/", "//"),
    "Transfer-Encoding": ("chunked", "nonsense"),
    "Set-Cookie": ("", "=", "a=b; expires=never", "\x80=1"),
    "X-Long": ("x" * 9000, "\t", "é"),
}
MONSTERS = (b"[" * 100_000, b'{"data":' * 50_000, b"\xef\xbb\xbf{}", b'{"code":"200","data":' + b"9" * 5000 + b"}")
odd_texts = st.sampled_from(ODD_TEXTS)
edges = st.sampled_from([2**63, 2**64, 10**400, -(10**400), 1e308, 5e-324, -0.0])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | edges | odd_texts | st.text(max_size=12)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_texts | st.text(max_size=5), inner)
)


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value, as a container and an index."""
    indices = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [spot for index in indices for spot in ((value, index), *spots(value[index]))]


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Any:
    """A valid answer of an endpoint in which some places are replaced, taken out, doubled or exchanged."""
    value = {"of": deepcopy(TARGETS[name][0][draw(st.integers(0, len(TARGETS[name][0]) - 1))])}
    for _ in range(draw(st.integers(0, 6))):
        if not (everywhere := spots(value)):
            break
        container, index = draw(st.sampled_from(everywhere))
        match draw(st.sampled_from(["replace", "replace", "remove", "double", "exchange"])):
            case "replace":
                container[index] = draw(values)
            case "remove":
                del container[index]
            case "double" if isinstance(container, list):
                container.insert(index, deepcopy(container[index]))
            case "exchange":
                other, place = draw(st.sampled_from(everywhere))
                container[index], other[place] = deepcopy(other[place]), deepcopy(container[index])
    return value.get("of")


def flipped(content: tuple[bytes, int]) -> bytes:
    """Change a few bytes."""
    body, seed = bytearray(content[0]), Random(content[1])  # noqa: S311
    for _ in range(seed.randint(1, 5)):
        body[seed.randrange(len(body))] = seed.randrange(256)
    return bytes(body)


def as_json(value: Any) -> bytes:
    return json.dumps(value, default=str).encode("utf-8", "surrogatepass")


def answers(name: str) -> st.SearchStrategy[Answered]:
    """Answers of one endpoint: three in four are right but for what their data say, else everything may be wrong."""
    right = st.fixed_dictionaries({"code": st.sampled_from([0, "0", 200, "200"]), "data": mutated(name)}).map(as_json)
    codes = st.sampled_from([0, "200", 401, "403", "429", 429, 500, None, "", [], 1e400, True, "２００"]) | values
    infos = st.sampled_from(["Network Anomaly", "TOO_MANY_REQUESTS"]) | values
    parts = {"code": codes, "data": mutated(name), "info": infos}
    envelopes = st.fixed_dictionaries(parts, optional={"sourceCode": infos}).map(as_json)
    wild = [envelopes, values.map(as_json), st.binary(max_size=200), envelopes.map(gzip.compress)]
    wild.append(st.tuples(envelopes, st.integers(0, 2**32)).map(flipped))
    header = st.sampled_from([(name, value) for name, found in HEADERS.items() for value in found])
    wrong = st.builds(
        Answered,
        status=st.sampled_from([200] * 12 + [204, 302, 304, 400, 401, 403, 404, 408, 429, 500, 502, 599]),
        headers=st.just(()) | st.lists(header, max_size=3, unique_by=lambda header: header[0]).map(tuple),
        body=st.one_of(wild),
        announced=st.sampled_from([0] * 12 + [-1, 1, 10**9, -(10**9)]),
    )
    accepted = st.builds(Answered, body=right)
    return st.sampled_from([accepted] * 3 + [wrong]).flatmap(lambda strategy: strategy)


HOSTILE = (
    Answered(status=429, headers=(("Retry-After", "9" * 400),)),
    Answered(headers=(("Date", "1 Jan 99999999999 0:0:0 +9999999999"),), body=b"{}"),
    Answered(headers=(("Content-Encoding", "gzip"),), body=gzip.compress(b" " * 50_000_000)),
    Answered(body=b'{"code":"200","data":[{"pointId":"800","pointValue":1e999,"pointNameCn":null}]}'),
    *(Answered(body=body) for body in MONSTERS),
)


def check(*readings: Reading) -> None:
    """Every value is of our vocabulary and can be shown."""
    for reading in readings:
        assert all(key in Key for key in (*reading.values, *reading.flags))
        for value in reading.values.values():
            assert isinstance(value, int | float | str | datetime)
            assert not isinstance(value, float) or math.isfinite(value)
        assert all(isinstance(flag, bool) for flag in reading.flags.values())
        assert all(isinstance(serial, str) and serial for serial in reading.modules)
        assert reading.sampled_at is None or reading.sampled_at.tzinfo is UTC


def check_rows(rows: Any) -> None:
    devices = [Device.from_listing(SERIAL, row) for row in rows or ()]
    assert all(isinstance(text, str | None) for found in devices for text in (found.name, found.model, found.firmware))


def check_history(records: Any) -> None:
    soc = latest_soc(records or [], NOW)
    assert soc is None or 0 <= soc <= 100
    found = samples(records, current_sign=1, voltage=50.0)
    assert all(math.isfinite(power) and (soc is None or 0 <= soc <= 100) for _, power, soc in found)
    assert bool(found) <= (day_begins(records) is not None)


def check_alarms(alarms: Any) -> None:
    texts = decode_alarms(alarms, NOW, [SERIAL])
    assert texts.keys() <= {"text", "advice"}
    assert not any(SERIAL in text for text in texts.values())


def check_record(record: Any) -> None:
    decoder = ConverterDecoder("pbd")
    check(*(decoder.decode(data, NOW) for data in (RECORD, record, record)))
    check(ConverterDecoder("pbd", json.loads(json.dumps(decoder.memory))).decode(record, NOW))


FAMILY_NAMES = (None, *(family.name for family in FAMILIES))
DEVICES = [build(name)[0] for name in ("powerhaus", "tower-t14", "cygni", "junior-box", "future-nameless")]
POINTS = [device.points(NOW) for device in (*DEVICES, *(module for device in DEVICES for module in device.modules[:1]))]
LISTING = [device.listing(NOW) for device in DEVICES]
ALARMS = [{"pageDate": {"list": build("dl5-1", raised=frozenset({"3206"}))[0].alarm_list(NOW)}}]
RECORD = Pbd(serial=SERIAL).record(NOW)
TARGETS: dict[str, tuple[list[Any], Callable[[Any], None]]] = {
    "realtime_data": (POINTS, lambda points: check(*(decode(points, family) for family in FAMILY_NAMES))),
    "storage_list": ([{"list": LISTING, "total": 5}, LISTING[:1], {"list": []}], check_rows),
    "storage_detail": ([device.detail(NOW) for device in DEVICES], lambda content: check_rows([content or {}])),
    "station_info": ([device.station() for device in DEVICES], lambda content: check_rows([content or {}])),
    "last_running_data": (
        [device.running(NOW) for device in DEVICES],
        lambda data: check(*(Reading(values=decode_running(name, data or {})) for name in FAMILY_NAMES)),
    ),
    "alarms": (ALARMS, check_alarms),
    "last_power_data": ([device.power_history(NOW)[-12:] for device in DEVICES], check_history),
    "data_last": ([RECORD], check_record),
}


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_is_answered(ask: Ask, name: str) -> None:
    valid, check_it = TARGETS[name]
    arguments = () if name == "storage_list" else ("pbd", SERIAL) if name == "data_last" else (SERIAL,)

    def call(session: aiohttp.ClientSession, url: str) -> Coroutine[Any, Any, Any]:
        client = (AtessClient if name == "data_last" else DynessClient)(session, url, "id", "secret", AccountQueue())
        return getattr(client, name)(*arguments)  # type: ignore[no-any-return]

    @settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "150")), deadline=None, suppress_health_check=HEALTHY)
    @given(answers(name))
    def bear(answer: Answered) -> None:
        check_it(ask(call, answer))

    good = Answered(body=as_json({"code": 200, "data": valid[0]}))
    assert ask(call, good), "the way that is fuzzed is the one that is meant"
    for hostile in HOSTILE:
        check_it(ask(call, hostile))
    bear()
