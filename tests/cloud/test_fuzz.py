"""Whatever a server answers, a client and a decoder make a declared outcome of it, over real HTTP.

FUZZ_EXAMPLES=20000 makes it thorough; without it the examples take some seconds.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
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
from hypothesis import HealthCheck, example, given, settings, strategies as st
import orjson
import pytest

from custom_components.dyness_atess.cloud.atess import AtessClient
from custom_components.dyness_atess.cloud.dyness import DynessClient
from custom_components.dyness_atess.cloud.errors import CloudEmpty, CloudError, CloudRateLimited, CloudUnavailable
from custom_components.dyness_atess.cloud.queue import AccountQueue
from custom_components.dyness_atess.telemetry.atess.decoder import PbdDecoder
from custom_components.dyness_atess.telemetry.device import Device
from custom_components.dyness_atess.telemetry.dyness.decoder import decode, decode_running
from custom_components.dyness_atess.telemetry.dyness.families import FAMILIES
from custom_components.dyness_atess.telemetry.dyness.history import latest_soc
from custom_components.dyness_atess.telemetry.reading import Reading
from custom_components.dyness_atess.telemetry.vocabulary import Key
from emulator.atess.pbd import Pbd
from emulator.dyness.catalogue import build

NOW = datetime(2026, 6, 10, 11, 2, tzinfo=UTC)
SERIAL = "DEMO-BMS"
FAMILY_NAMES = [family.name for family in FAMILIES]

fuzzed = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "250")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


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


class Server:
    """Answers everything with the `answer` of the moment."""

    def __init__(self) -> None:
        self.answer = Answered()
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
            writer.write(self.answer.raw())
            await writer.drain()
        except ConnectionError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(server: Server) -> AsyncGenerator[aiohttp.ClientSession]:
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening, aiohttp.ClientSession() as session:
        yield session


type Ask = Callable[[Callable[[aiohttp.ClientSession, str], Awaitable[Any]], Answered], Any]


@pytest.fixture
def ask(socket_enabled: None) -> Generator[Ask]:
    """Ask a server that answers so. None where a read ended in one of the declared ways."""
    with asyncio.Runner() as runner:
        server = Server()
        context = serving(server)
        session = runner.run(context.__aenter__())

        texts: list[str] = []

        def ask(call: Callable[[aiohttp.ClientSession, str], Awaitable[Any]], answer: Answered) -> Any:
            server.answer = answer
            try:
                return runner.run(asyncio.wait_for(_awaited(call(session, server.url)), 20))
            except CloudError as error:
                texts.append(str(error))
                return None

        with patch("custom_components.dyness_atess.cloud.transport.TIMEOUT", 5.0):
            yield ask
        runner.run(context.__aexit__(None, None, None))
        assert SERIAL not in "".join(texts)


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call


# What a value may be: all that JSON knows, at its edges too, and texts that look like numbers, times and serials.
ODD_TEXTS = (
    *(
        "",
        " ",
        "null",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "-0",
        "0x10",
        "١٢",
        "1,5",
        "9" * 400,
        "1e-9999",
        "--1",
        "+5",
        ".5",
    ),
    *("2026-06-10 11:00:00", "0000-00-00 00:00:00", "9999-12-31 23:59:59", "2026-06-10T11:00:00+99:99"),
    *("\ud800", "\0", "T", "SUB", "SOC", "DEMO-BMS", "A,,B,A", "1000", "800"),
)
DATES = (
    *("", "now", "Wed, 10 Jun 2026 11:02:00 GMT", "Wed, 10 Jun 2026 11:02:00 -0000", "Wed, 99 Jun 2026 11:02:00 GMT"),
    *("Mon, 01 Jan 0001 00:00:00 +2359", "1 Jan 99999999999 0:0:0 +9999999999"),
)
MONSTERS = (
    *(b"[" * 100_000, b'{"data":' * 50_000, b"\xef\xbb\xbf{}"),
    *(b'{"code":"200","data":' + b"9" * 5000 + b"}", b'{"code":"200","data":[1e999]}'),
)
odd_texts = st.sampled_from(ODD_TEXTS)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from([2**63, 2**64, 10**400, -(10**400), 1e308, 5e-324, -0.0])
    | odd_texts
    | st.text(max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_texts | st.text(max_size=5), inner, max_size=4),
)


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value, as a container and an index."""
    indices = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [spot for index in indices for spot in ((value, index), *spots(value[index]))]


@st.composite
def mutated(draw: st.DrawFn, valid: list[Any]) -> Any:
    """A valid answer in which some places are replaced, taken out, doubled or exchanged."""
    value = {"of": deepcopy(draw(st.sampled_from(valid)))}
    for _ in range(draw(st.integers(0, 6))):
        everywhere = spots(value)
        container, index = draw(st.sampled_from(everywhere)) if everywhere else (value, "of")
        match draw(st.sampled_from(["replace", "replace", "remove", "double", "exchange"])):
            case "replace":
                container[index] = draw(values)
            case "remove" if container is not value:
                del container[index]
            case "double" if isinstance(container, list):
                container.insert(index, deepcopy(container[index]))
            case "exchange" if everywhere:
                other, place = draw(st.sampled_from(everywhere))
                container[index], other[place] = deepcopy(other[place]), deepcopy(container[index])
    return value.get("of")


def as_json(value: Any) -> bytes:
    return json.dumps(value, default=str).encode("utf-8", "surrogatepass")


headers = st.lists(
    st.one_of(
        st.tuples(st.just("Retry-After"), st.sampled_from(["0", "5", "-1", "soon", "9" * 400, "1e5", "٣"])),
        st.tuples(st.just("Date"), st.sampled_from(DATES) | st.text("0123456789 :,+-JanGMT", max_size=30)),
        st.tuples(st.just("Content-Encoding"), st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, gzip"])),
        st.tuples(st.just("Content-Type"), st.sampled_from(["", "text/html", "a/b; charset=nonsense", "x" * 200])),
        st.tuples(st.just("Location"), st.sampled_from(["/", "http://[", "https://elsewhere.invalid/", "//"])),
        st.tuples(st.just("Transfer-Encoding"), st.sampled_from(["chunked", "nonsense"])),
        st.tuples(st.just("Set-Cookie"), st.sampled_from(["", "=", "a=b; expires=never", "\x80=1"])),
        st.tuples(st.just("X-Long"), st.sampled_from(["x" * 9000, "\t", "é"])),
    ),
    max_size=3,
    unique_by=lambda header: header[0],
).map(tuple)


def answers(valid: list[Any], success: list[Any]) -> st.SearchStrategy[Answered]:
    """Answers of one endpoint, most of them right but for what their data say."""
    accepted = st.builds(
        lambda code, data: Answered(body=as_json({"code": code, "data": data, "info": ""})),
        st.sampled_from(success),
        mutated(valid),
    )
    return st.sampled_from([accepted] * 3 + [anything(valid, success)]).flatmap(lambda strategy: strategy)


def anything(valid: list[Any], success: list[Any]) -> st.SearchStrategy[Answered]:
    """Answers in which everything may be wrong."""
    envelopes = st.builds(
        lambda code, data, info, more: {"code": code, "data": data, "info": info} | more,
        st.sampled_from(success * 8 + [401, "403", "429", 429, 500, None, "", [], 1e400, True, "２００"]) | values,
        mutated(valid),
        st.sampled_from(["Request successful", "Network Anomaly", "TOO_MANY_REQUESTS"]) | values,
        st.sampled_from([{}, {}, {"sourceCode": "TOO_MANY_REQUESTS"}]) | st.fixed_dictionaries({"sourceCode": values}),
    ).map(as_json)
    bodies = st.one_of(
        envelopes,
        mutated([{"code": success[0], "data": valid[0]}]).map(as_json),
        values.map(as_json),
        st.binary(max_size=200),
        envelopes.map(gzip.compress),
        st.tuples(envelopes, st.integers(0, 2**32)).map(flipped),
        st.sampled_from(MONSTERS),
    )
    statuses = st.sampled_from([200] * 12 + [204, 302, 304, 400, 401, 403, 404, 408, 429, 500, 502, 599])
    announced = st.sampled_from([0] * 12 + [-1, 1, 10**9, -(10**9)])
    return st.builds(Answered, status=statuses, headers=st.just(()) | headers, body=bodies, announced=announced)


def flipped(content: tuple[bytes, int]) -> bytes:
    """Change a few bytes."""
    body, seed = bytearray(content[0]), Random(content[1])  # noqa: S311
    for _ in range(seed.randint(1, 5)):
        body[seed.randrange(len(body))] = seed.randrange(256)
    return bytes(body)


DEVICES = [
    device for name in ("powerhaus", "tower-t14", "cygni", "junior-box", "future-nameless") for device in build(name)
]
POINTS = [device.points(NOW) for device in DEVICES]
POINTS += [module.points(NOW) for device in DEVICES for module in list(device.modules)[:1]]
LISTS = [{"list": [device.listing(NOW) for device in DEVICES], "total": 5}, [DEVICES[0].listing(NOW)], {"list": []}]
DETAILS = [device.detail(NOW) for device in DEVICES]
STATIONS = [device.station() for device in DEVICES]
RUNNING = [device.running(NOW) for device in DEVICES]
HISTORIES = [device.power_history(NOW)[-12:] for device in DEVICES]
RECORDS = [Pbd(serial=SERIAL).record(NOW), Pbd(serial=SERIAL, measures="tenths", power_unit="tenths_of_kW").record(NOW)]
DYNESS, ATESS = ["200", 200, "0"], [0, "0", 200]

hostile = (
    example(Answered(status=429, headers=(("Retry-After", "9" * 400),))),
    example(Answered(headers=(("Date", "1 Jan 99999999999 0:0:0 +9999999999"),), body=b"{}")),
    example(Answered(headers=(("Content-Encoding", "gzip"),), body=gzip.compress(b" " * 50_000_000))),
    example(Answered(body=b'{"code":"200","data":[{"pointId":"800","pointValue":1e999,"pointNameCn":null}]}')),
    example(Answered(body=b"[" * 100_000)),
)


def with_hostile(test: Callable[..., None]) -> Callable[..., None]:
    for one in hostile:
        test = one(test)
    return test


def dyness(session: aiohttp.ClientSession, url: str) -> DynessClient:
    return DynessClient(session, url, "id", "secret", AccountQueue())


def check(reading: Reading) -> None:
    """Every value is of our vocabulary and can be shown."""
    assert isinstance(reading, Reading)
    assert all(key in Key for key in (*reading.values, *reading.flags))
    for value in reading.values.values():
        assert isinstance(value, int | float | str | datetime)
        assert not isinstance(value, float) or math.isfinite(value)
    assert all(isinstance(flag, bool) for flag in reading.flags.values())
    assert all(isinstance(serial, str) and serial for serial in reading.modules)
    assert reading.sampled_at is None or reading.sampled_at.tzinfo is UTC


@with_hostile
@given(answer=answers(POINTS, DYNESS))
@fuzzed
def test_points(ask: Ask, answer: Answered) -> None:
    points = ask(lambda session, url: dyness(session, url).realtime_data(SERIAL, "C"), answer)
    for family in (None, *FAMILY_NAMES):
        check(decode(points, family))


@with_hostile
@given(answer=answers(LISTS, DYNESS))
@fuzzed
def test_list(ask: Ask, answer: Answered) -> None:
    rows = ask(lambda session, url: dyness(session, url).storage_list(), answer)
    for row in rows or ():
        device = Device.from_listing(row["deviceSn"], row)
        assert device.serial
        assert all(isinstance(text, str | None) for text in (device.name, device.model, device.firmware))


@with_hostile
@given(answer=answers(DETAILS + STATIONS, DYNESS))
@fuzzed
def test_detail_and_station(ask: Ask, answer: Answered) -> None:
    for call in (DynessClient.storage_detail, DynessClient.station_info):
        content = ask(lambda session, url, call=call: call(dyness(session, url), SERIAL), answer)  # type: ignore[misc]
        assert content is None or isinstance(content, dict)
        Device.from_listing(SERIAL, content or {})


@with_hostile
@given(answer=answers(RUNNING, DYNESS))
@fuzzed
def test_running(ask: Ask, answer: Answered) -> None:
    content = ask(lambda session, url: dyness(session, url).last_running_data(SERIAL), answer)
    for family in (None, *FAMILY_NAMES):
        check(Reading(values=decode_running(family, content or {})))


@with_hostile
@given(answer=answers(HISTORIES, DYNESS))
@fuzzed
def test_history(ask: Ask, answer: Answered) -> None:
    records = ask(lambda session, url: dyness(session, url).last_power_data(SERIAL), answer)
    soc = latest_soc(records or [], NOW)
    assert soc is None or 0 <= soc <= 100


@with_hostile
@given(answer=answers(RECORDS, ATESS))
@fuzzed
def test_pbd(ask: Ask, answer: Answered) -> None:
    record = ask(
        lambda session, url: AtessClient(session, url, "id", "token", AccountQueue()).pbd_data_last(SERIAL), answer
    )
    decoder = PbdDecoder()
    for data in (RECORDS[0], record, record):
        check(decoder.decode(data, NOW))
    remembered = orjson.loads(orjson.dumps(decoder.memory))
    check(PbdDecoder(remembered).decode(record, NOW))


def test_the_outcomes_that_are_meant(ask: Ask) -> None:
    """The fuzzed paths are those that the other tests take: a good answer comes through, the rest is declared."""

    async def outcome(session: aiohttp.ClientSession, url: str) -> Any:
        try:
            return await dyness(session, url).realtime_data(SERIAL)
        except CloudError as error:
            return type(error)

    body = as_json({"code": "200", "data": POINTS[0], "info": ""})
    assert len(decode(ask(outcome, Answered(body=body))).values) > 20
    assert ask(outcome, Answered(body=body, announced=5)) is CloudUnavailable
    assert ask(outcome, Answered(body=b'{"code":"200","data":[]}')) is CloudEmpty
    assert ask(outcome, Answered(status=429)) is CloudRateLimited


@pytest.mark.parametrize("seconds", ["9" * 400, "99999999999"])
def test_no_server_silences_an_account_for_long(ask: Ask, seconds: str) -> None:
    queue = AccountQueue()

    async def outcome(session: aiohttp.ClientSession, url: str) -> int:
        with pytest.raises(CloudRateLimited):
            await DynessClient(session, url, "id", "secret", queue).realtime_data(SERIAL)
        wait: int = queue.state["seconds_to_next"]
        return wait

    assert 3590 < ask(outcome, Answered(status=429, headers=(("Retry-After", seconds),))) <= 3600
