"""Whatever the cloud sends and whatever was stored: no error, and nothing that cannot be told or kept."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st

from custom_components.dyness_atess.telemetry.atess.decoder import PbdDecoder
from custom_components.dyness_atess.telemetry.atess.fields import FIELDS
from custom_components.dyness_atess.telemetry.vocabulary import LIFETIME, Key

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["", "0", "-0.0", "NaN", "1e400", "12", "65.535", "1e-5", "٣", "n/a", 10**400, 1e308, -1e308]),
    st.floats(-2000, 20000),
    st.integers(-2000, 20000),
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
RECORDS = st.dictionaries(st.sampled_from([row.name for row in FIELDS]) | st.text(), JSON, max_size=80)


@given(st.lists(RECORDS | JSON, max_size=6), st.timedeltas(timedelta(0), timedelta(days=2)))
def test_anything(answers: list[Any], gap: timedelta) -> None:
    decoder = PbdDecoder()
    last: dict[Key, Any] = {}
    for number, data in enumerate(answers):
        reading = decoder.decode(data, NOW + number * gap)
        assert all(point.id is not None and point.value for point in reading.unknown + reading.implausible)
        assert all(isinstance(value, int | float | str | datetime) for value in reading.values.values())
        for key in LIFETIME & reading.values.keys():
            assert reading.values[key] >= last.get(key, 0)
            last[key] = reading.values[key]
        json.dumps(decoder.findings, allow_nan=False)
        stored = json.dumps(decoder.memory, allow_nan=False)
        decoder = PbdDecoder(json.loads(stored))
        assert json.dumps(decoder.memory) == stored


def test_number_that_python_does_not_write() -> None:
    reading = PbdDecoder().decode({"vbat": 10**5000, "capacity": 50}, NOW)
    assert [point.id for point in reading.unknown] == ["vbat"]


@given(st.dictionaries(st.sampled_from(["version", "learning", "lifetime", "taken"]), JSON | st.just(1)) | JSON)
def test_any_memory(memory: Any) -> None:
    decoder = PbdDecoder(memory)
    decoder.decode({"capacity": 50, "time": "2026-06-21 12:00:00", "epvTotal": 5}, NOW)
    json.dumps(decoder.memory, allow_nan=False)
