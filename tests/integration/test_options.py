"""What an owner changes of an account that runs: nothing but other credentials or another server disturbs it."""

from collections.abc import AsyncGenerator
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dyness_atess.const import DOMAIN
from emulator.atess.cloud import AtessCloud, basic
from emulator.atess.pbd import Pbd
from emulator.dyness.cloud import DynessCloud
from emulator.dyness.powerhaus import PowerHaus
from emulator.faults import Fault

from .conftest import SERIAL, Poll, all_states, issues, logged, number, state
from .test_config_flow import HIDDEN, MODULE, PBD, open_form_of, send, set_up, suggested


@pytest.fixture
async def cloud() -> AsyncGenerator[DynessCloud]:
    """A battery with a module, and one that the account does not list."""
    hidden = PowerHaus(serial=HIDDEN, module_serial="DEMO000000000002", listed=False)
    cloud = DynessCloud(devices=[PowerHaus(serial=SERIAL, module_serial=MODULE), hidden])
    await cloud.start()
    yield cloud
    await cloud.stop()


async def choose(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> Any:
    return await send(hass, await open_form_of(hass, entry, "options"), {"hourly_calls": 120} | changes)


async def test_no_change_reloads(hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll) -> None:
    account, lost = loaded.runtime_data, []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        old, new = event.data["old_state"], event.data["new_state"]
        # What all batteries are together waits for the capacity of a new one.
        if old and new and new.state == "unavailable" and not new.entity_id.startswith("sensor.cellar_"):
            lost.append(new.entity_id)

    async def unchanged() -> None:
        form = await open_form_of(hass, loaded, "reconfigure")
        assert suggested(form) == {"app_id": cloud.app_id, "region": "other"}
        form = await send(hass, form, {"app_id": cloud.app_id, "app_secret": "", "region": "other"})
        assert (form["step_id"], suggested(form)) == ("server", {"base_url": cloud.url})
        assert (await send(hass, form, {"base_url": cloud.url}))["reason"] == "reconfigure_successful"
        assert not account.connection.answers

    async def add() -> None:
        await send(hass, await open_form_of(hass, loaded, "storage"), {"device_sn": HIDDEN})
        assert state(hass, "soc", HIDDEN) not in (None, "unavailable", "unknown")

    async def remove() -> None:
        (subentry,) = loaded.subentries
        assert hass.config_entries.async_remove_subentry(loaded, subentry)

    async def rename() -> None:
        hass.config_entries.async_update_entry(loaded, title="Cellar")

    hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    for change in (
        lambda: choose(hass, loaded, single_cells=True),
        lambda: choose(hass, loaded, single_cells=False, hourly_calls=60),
        lambda: choose(hass, loaded, single_cells=True, device=SERIAL, capacity=9.5),
        rename,
        unchanged,
        add,
        remove,
        add,
    ):
        await change()
        await hass.async_block_till_done(wait_background_tasks=True)
        await poll(1)  # Home Assistant itself would reload after 30 s
        assert loaded.runtime_data is account
        assert not lost
        assert account.queue.ceiling == loaded.options["hourly_calls"]


async def test_single_cells(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    registry = er.async_get(hass)

    def cells() -> dict[str, er.RegistryEntry]:
        found = er.async_entries_for_config_entry(registry, loaded.entry_id)
        return {cell.entity_id: cell for cell in found if cell.unique_id.startswith(f"{MODULE}-cell_0")}

    before = cells()
    off, named, *_ = before
    registry.async_update_entity(off, disabled_by=er.RegistryEntryDisabler.USER)
    registry.async_update_entity(named, name="Weak")
    for shown, is_loaded in ((True, True), (False, True), (True, True), (False, True), (True, False)):
        if not is_loaded:
            await hass.config_entries.async_unload(loaded.entry_id)
        await choose(hass, loaded, single_cells=shown)
        if not is_loaded:
            await hass.config_entries.async_setup(loaded.entry_id)
        assert cells().keys() == before.keys()
        values = {entity_id: found.state for entity_id in before if (found := hass.states.get(entity_id))}
        assert values.keys() == (before.keys() - {off} if shown else set())
        assert all(2.5 < float(value) < 3.7 for value in values.values())
        assert (cells()[off].disabled_by, cells()[named].name) == (er.RegistryEntryDisabler.USER, "Weak")


async def test_capacity(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """What is given counts until it is taken back with 0."""
    for changes, expected in (({"capacity": 10.24}, 10.24), ({}, 10.24), ({"capacity": 0}, 5.12)):
        await choose(hass, loaded, **({"device": SERIAL} if changes else {}), **changes)
        assert number(hass, "energy_rated", SERIAL) == pytest.approx(expected)
        remaining = expected * number(hass, "soc", SERIAL) / 100
        assert number(hass, "energy_remaining", SERIAL) == pytest.approx(remaining, abs=0.01)


@pytest.mark.parametrize("vendor", ["dyness", "atess"])
@pytest.mark.parametrize("kind", ["reauth", "reconfigure"])
async def test_other_credentials_lose_no_reading(
    hass: HomeAssistant, cloud: DynessCloud, poll: Poll, vendor: str, kind: str
) -> None:
    atess = AtessCloud(devices=[Pbd(serial=PBD)])
    await atess.start()
    entry = await (set_up(hass, cloud) if vendor == "dyness" else set_up(hass, atess, PBD))
    before, account = all_states(hass), entry.runtime_data
    await choose(hass, entry, **({"single_cells": False} if vendor == "dyness" else {"battery_sign": "automatic"}))
    assert entry.runtime_data is account
    cloud.app_secret = "new-secret"
    atess.authorization = basic(atess.api_id, "new-token")
    if kind == "reauth":
        await poll()
        await poll(1)
        (form,) = hass.config_entries.flow.async_progress()
        assert form["context"]["source"] == SOURCE_REAUTH
        form = await hass.config_entries.flow.async_configure(form["flow_id"])
    else:
        form = await open_form_of(hass, entry, kind)
    secret = {"api_token": "new-token"} if vendor == "atess" else {"app_secret": "new-secret"}
    cloud.calls.clear()
    atess.calls.clear()
    result = await send(hass, form, suggested(form) | secret)
    if result.get("step_id") == "server":
        result = await send(hass, result, suggested(result))
    assert result["reason"] == f"{kind}_successful"
    assert entry.runtime_data is not account
    assert entry.data.items() >= secret.items()
    assert len(cloud.calls + atess.calls) == 1  # that of the form
    assert all_states(hass).keys() >= before.keys()  # what the form has read may confirm a counter
    assert [key for key, value in all_states(hass).items() if value == "unavailable" != before[key]] == []
    assert not hass.config_entries.flow.async_progress()
    await atess.stop()


async def test_a_request_for_credentials_is_taken_back(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll
) -> None:
    for faults, requests in (
        # one device, while the list is answered, and nothing more of that device
        ([Fault("access_denied", serial=SERIAL, times=1)], 0),
        ([Fault("network_anomaly", serial=SERIAL)], 0),
        # everything, until one answer is empty
        ([Fault("access_denied")], 1),
        ([Fault("null_data", serial=SERIAL), Fault("http_500")], 0),
    ):
        cloud.clear_faults()
        for fault in faults:
            cloud.add_fault(fault)
        for _ in range(3):
            await poll()
        assert len(hass.config_entries.flow.async_progress()) == requests


async def test_a_battery_of_two_accounts(
    hass: HomeAssistant, loaded: MockConfigEntry, cloud: DynessCloud, poll: Poll, caplog: pytest.LogCaptureFixture
) -> None:
    other = DynessCloud(app_id="other", devices=cloud.devices.values())
    await other.start()
    second = await set_up(hass, other)
    for _ in range(6):
        await poll()
    ((_, warning),) = logged(caplog, logging.WARNING)
    assert "read by the account Dyness" in warning
    assert not second.runtime_data.devices
    (issue,) = issues(hass, "claimed")
    assert issue.translation_placeholders == {"device": "PowerHaus", "entry": "Dyness", "other": "Dyness"}
    # What the owner ignores stays ignored, after a reload too, and whoever starts first.
    ir.async_ignore_issue(hass, DOMAIN, issue.issue_id, True)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert await hass.config_entries.async_reload(second.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not second.runtime_data.devices
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [issue.dismissed_version is not None for issue in issues(hass, "claimed")] == [True]
    # Either may go.
    await hass.config_entries.async_remove(second.entry_id)
    assert number(hass, "soc", SERIAL)
    assert not issues(hass, "claimed")
    second = await set_up(hass, other)
    await hass.config_entries.async_remove(loaded.entry_id)
    await poll(31)
    assert number(hass, "soc", SERIAL)
    assert second.runtime_data.devices.keys() == {SERIAL, MODULE}
    assert not issues(hass, "claimed")
    await other.stop()
