"""Alarm events, what is behind `alarm` and `warning`, and the cloud's words; F41."""

from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import CoreState, Event, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.dyness_atess.telemetry.alarms import AlarmEventType
from emulator.atess.cloud import AtessCloud
from emulator.atess.pbd import Pbd
from emulator.dyness.devices import Device
from emulator.dyness.storage import Storage
from emulator.faults import Fault, FaultKind
from tests.house.repository import ROOT, read_json, shipped

from .conftest import Live, account_entry, issues, logged, one, state

ALARM_QUERY = "/v1/alarm/query"
HIGH, LOW_PROTECTION, IMBALANCE = "3206", "3405", "3201"


def entity(hass: HomeAssistant, device: Device, key: str) -> State:
    """Return the state of the entity with this key."""
    registered = er.async_get(hass).entities.values()
    (found,) = [found.entity_id for found in registered if found.unique_id == f"{device.serial}-{key}"]
    state = hass.states.get(found)
    assert state
    return state


class Heard:
    """The events of a device, each as often as it was raised."""

    def __init__(self, hass: HomeAssistant, device: Device) -> None:
        self.events: list[dict[str, Any]] = []
        self._unique_id, self._registry = f"{device.serial}-alarm_event", er.async_get(hass)
        self._last = hass.states.get(self._entity_id) if self._entity_id else None
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._hear)

    @property
    def _entity_id(self) -> str | None:
        return self._registry.async_get_entity_id("event", "dyness_atess", self._unique_id)

    @callback
    def _hear(self, event: Event[Any]) -> None:
        new = event.data["new_state"]
        if event.data["entity_id"] != self._entity_id or not new or new.state in ("unknown", "unavailable"):
            return
        if self._last is None or self._last.state != new.state:
            self.events.append(dict(new.attributes))
        self._last = new

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(event["event_type"], event["kind"]) for event in self.events]


async def test_an_alarm_rises_and_ends(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-2")
    cloud, _ = await live.start(device)
    assert state(hass, "alarm_event", device.serial) == "unknown"
    heard = Heard(hass, device)
    device.raised = frozenset({LOW_PROTECTION})
    await live(6)
    assert heard.kinds == [("protection_raised", "cell_voltage_low_protection")]
    (event,) = heard.events
    truth = device.truth(cloud.clock())
    for name, key in (("module", "cell_voltage_min_module"), ("cell", "cell_voltage_min_cell")):
        assert event[name] == truth[key]
    assert event["cell_voltage_min"] == pytest.approx(truth["cell_voltage_min"], abs=0.1)
    assert event["soc"] == pytest.approx(truth["soc"], abs=2)
    assert (event["expected"], event["text"], event["advice"]) == (
        False,
        f"Alarm {LOW_PROTECTION}",
        "Please contact your installer.",
    )
    await live(30)
    assert len(heard.events) == 1
    device.raised = frozenset()
    await live(6)
    assert heard.kinds[1:] == [("protection_cleared", "cell_voltage_low_protection")]
    assert "text" not in heard.events[1]
    assert [call.path for call in cloud.calls].count(ALARM_QUERY) == 1


@pytest.mark.parametrize("stopped_for", [0, 120])
async def test_what_is_on_at_a_start_or_reload_is_no_news(hass: HomeAssistant, live: Live, stopped_for: int) -> None:
    device = one("dl5-1", raised=frozenset({IMBALANCE}))
    _, entry = await live.start(device)
    heard = Heard(hass, device)
    await live(11)
    assert state(hass, "alarm_event", device.serial) == "unknown"
    await live.until(hass.config_entries.async_reload(entry.entry_id))
    await live(6)
    await live.restart(entry, stopped_for=stopped_for)
    await live(11)
    assert heard.events == []


async def test_what_changed_while_it_was_stopped_is_news(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-1", raised=frozenset({IMBALANCE}))
    _, entry = await live.start(device)
    heard = Heard(hass, device)
    await live.until(hass.config_entries.async_unload(entry.entry_id))
    device.raised = frozenset({LOW_PROTECTION})
    live.freezer.tick(3600)
    await live.until(hass.config_entries.async_setup(entry.entry_id))
    await live(1)
    assert heard.kinds == [
        ("warning_cleared", "cell_voltage_imbalance"),
        ("protection_raised", "cell_voltage_low_protection"),
    ]


async def test_no_event_before_automations_listen(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-1")
    _, entry = await live.start(device)
    heard = Heard(hass, device)
    await live.until(hass.config_entries.async_unload(entry.entry_id))
    device.raised = frozenset({IMBALANCE})
    live.freezer.tick(600)
    hass.set_state(CoreState.starting)
    await live.until(hass.config_entries.async_setup(entry.entry_id))
    await live(6)
    assert heard.events == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await live(1)
    assert heard.kinds == [("warning_raised", "cell_voltage_imbalance")]


async def test_an_outage_is_no_event(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-1", raised=frozenset({IMBALANCE}))
    cloud, _ = await live.start(device)
    heard = Heard(hass, device)
    cloud.add_fault(Fault("network_anomaly"))
    await live(60)
    assert state(hass, "warning", device.serial) == "unavailable"
    assert state(hass, "alarm_event", device.serial) == "unknown"
    cloud.clear_faults()
    await live(60)
    assert state(hass, "warning", device.serial) == "on"
    assert heard.events == []


async def test_the_bits_of_a_module(hass: HomeAssistant, live: Live) -> None:
    device: Storage = one("dl5-2")
    await live.start(device)
    await live(6)
    heard = Heard(hass, device)
    second: Any = device.modules[1]
    second.raised = frozenset({"16600"})
    await live(12)
    (event,) = heard.events
    assert (event["event_type"], event["kind"], event["module"]) == ("warning_raised", "module_voltage_high", 2)
    second.raised = frozenset()
    await live(12)
    assert heard.kinds[1:] == [("warning_cleared", "module_voltage_high")]
    entities = er.async_get(hass).entities.values()
    assert not [found for found in entities if found.unique_id == f"{second.serial}-alarm_event"]


async def test_what_battery_and_module_both_say_is_said_once(hass: HomeAssistant, live: Live) -> None:
    device: Storage = one("dl5-2")
    await live.start(device)
    await live(6)
    heard = Heard(hass, device)
    second: Any = device.modules[1]
    for raised in ({HIGH}, {"3208"}), (set(), set()):
        device.raised, second.raised = frozenset(raised[0] | raised[1]), frozenset({"16600"} if raised[1] else ())
        await live(12)
    assert sorted(heard.kinds) == [
        *[("warning_cleared", kind) for kind in ("cell_voltage_high", "module_voltage_high")],
        *[("warning_raised", kind) for kind in ("cell_voltage_high", "module_voltage_high")],
    ]


async def test_what_is_behind_alarm_and_warning(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-1", overrides={"800": "98"})
    await live.start(device)
    assert entity(hass, device, "alarm").attributes["active"] == []
    assert entity(hass, device, "warning").attributes["active"] == []
    assert entity(hass, device, "warning").attributes["expected"] is False
    for raised, alarm, warning, expected in (
        ({HIGH, "3208"}, [], ["cell_voltage_high", "module_voltage_high"], True),
        ({HIGH, IMBALANCE}, [], ["cell_voltage_high", "cell_voltage_imbalance"], False),
        ({HIGH, "3406"}, ["cell_voltage_high_protection"], ["cell_voltage_high"], False),
        ({"3406", "3405"}, ["cell_voltage_high_protection", "cell_voltage_low_protection"], [], False),
    ):
        device.raised = frozenset(raised)
        await live(6)
        shown = entity(hass, device, "warning")
        assert (shown.state, shown.attributes["active"]) == ("on" if warning else "off", warning)
        assert shown.attributes["expected"] is expected
        assert entity(hass, device, "alarm").attributes["active"] == alarm


async def test_two_at_once_are_two_events(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-1")
    await live.start(device)
    heard = Heard(hass, device)
    device.raised = frozenset({HIGH, IMBALANCE, LOW_PROTECTION})
    await live(6)
    assert heard.kinds == [
        ("warning_raised", "cell_voltage_high"),
        ("warning_raised", "cell_voltage_imbalance"),
        ("protection_raised", "cell_voltage_low_protection"),
    ]


@pytest.mark.parametrize("kind", ["access_denied", "hang", "http_500", "rate_limited", "wrong_types", "text_data"])
async def test_an_alarm_without_the_words_of_the_cloud(
    hass: HomeAssistant, live: Live, kind: FaultKind, caplog: pytest.LogCaptureFixture
) -> None:
    device = one("dl5-1")
    cloud, _ = await live.start(device, faults=[Fault(kind, path=ALARM_QUERY)])
    heard = Heard(hass, device)
    for raised in ({HIGH}, set[str](), {IMBALANCE}):
        device.raised = frozenset(raised)
        await live(11)
    assert [kind for _, kind in heard.kinds] == ["cell_voltage_high", "cell_voltage_high", "cell_voltage_imbalance"]
    assert not any("text" in event for event in heard.events)
    assert ALARM_QUERY in [call.path for call in cloud.calls]
    assert state(hass, "soc", device.serial) != "unavailable"
    assert not [flow for flow in hass.config_entries.flow.async_progress() if flow["context"]["source"] == "reauth"]
    assert not issues(hass, "waiting")
    assert len(logged(caplog)) <= 2


async def test_nothing_private_in_the_words(hass: HomeAssistant, live: Live) -> None:
    device = one("dl5-2")
    cloud, _ = await live.start(device)
    heard = Heard(hass, device)
    listing = device.listing(cloud.clock())
    private = [device.serial, device.serial.removesuffix("-BMS"), device.modules[0].serial, listing["stationName"]]
    rows = device.alarm_list
    for place, word in enumerate(private):
        device.alarm_list = lambda now, word=word: [  # type: ignore[misc]
            row | {"eventContent": f"Of {word}", "solution": "Call", "ownerEmail": "jane@example.org"}
            for row in rows(now)
        ]
        device.raised = frozenset({HIGH}) if place % 2 == 0 else frozenset({IMBALANCE})
        await live(6)
    raised = [event for event in heard.events if event["event_type"] == "warning_raised"]
    assert len(raised) == len(private)
    assert [event.get("text") for event in raised] == [None] * len(private)
    assert {event["advice"] for event in raised} == {"Call"}
    shown = str([found.as_dict() for found in hass.states.async_all()])
    assert not [word for word in (*private, "jane@example.org") if word in shown]


async def test_what_has_no_alarms_has_no_events(hass: HomeAssistant, live: Live) -> None:
    device = one("cygni")
    await live.start(device)
    await live(6)
    assert state(hass, "alarm_event", device.serial) is None


async def test_the_fault_of_a_converter(hass: HomeAssistant, live: Live) -> None:
    device = Pbd(serial="DEMOPBD001")
    cloud = AtessCloud(devices=[device])
    live.clouds.append(cloud)
    await cloud.start()
    entry = account_entry(cloud, device.serial)
    entry.add_to_hass(hass)
    await live.until(hass.config_entries.async_setup(entry.entry_id))
    await live(1)
    heard = Heard(hass, device)
    device.overrides = {"status": 3}
    await live(12)
    device.overrides = {}
    await live(12)
    assert heard.kinds == [("protection_raised", "fault"), ("protection_cleared", "fault")]


def test_events_have_words_in_all_languages() -> None:
    for path in (shipped(ROOT) / "translations").glob("*.json"):
        texts = read_json(path)["entity"]
        event = texts["event"]["alarm_event"]["state_attributes"]
        assert event["event_type"]["state"].keys() == set(AlarmEventType)
        for kind, name in event["kind"]["state"].items():
            assert name == texts["binary_sensor"][kind]["name"]
