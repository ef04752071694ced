"""What users of these batteries ran into, by the numbers of reference/field-reports.md.

Elsewhere: F2, F6, F7, F24 test_availability.py; F3 test_fault_matrix.py; F8 test_config_flow.py; F10 to F17, F45
test_modules.py; F19 also telemetry/dyness/test_low_voltage.py; F44 browser/test_update.py; F46 test_options.py; F47
test_families.py; F49 test_many_devices.py. F48 and F50 are about what there is not: a tool, a control.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.dyness_atess.account.connection import connection
from custom_components.dyness_atess.diagnostics import async_get_config_entry_diagnostics
from emulator.dyness.catalogue import build
from emulator.dyness.cygni import Cygni
from emulator.dyness.future import NamelessModel
from emulator.dyness.history import PowerHistory
from emulator.dyness.low_voltage import LowVoltage
from emulator.dyness.models import DL5, POWERBRICK, POWERBRICK_SC
from emulator.dyness.storage import Storage
from emulator.faults import Fault, FaultKind

from .conftest import NOON, Live, issues, logged, number, one, serials_of, state, states_of

NOTHING = (None, "unknown", "unavailable")
REALTIME = "/v1/device/realTime/data"
pytestmark = pytest.mark.usefixtures("everything_on")


def now() -> datetime:
    return datetime.now(UTC)


def negative(shown: str | None) -> bool:
    return float(shown or "0") < 0


CHARGING: dict[str, Any] = {"status": "charging", "charging": "on", "current": negative, "power": negative}
"""Whatever the vendor's sign."""
FULL = {"800": "100", "3206": "1", "3208": "1", "4008": "0", "3800": "0", "4100": "0"}
ZEROS = {"700": "0.0", "800": "0", "1800": "0.0", "2000": "-7.5", "3800": "0.0", "3900": "0"}
SHOWN: list[tuple[str, Storage, Mapping[str, Any]]] = [
    # Of station/info, of the points, or of so many modules as there are.
    ("F18", build("dl5-6-coordinator")[0], {"energy_rated": 30.72}),
    ("F18", one("dl5-6"), {"energy_rated": 30.72}),
    ("F18", one("powerbox-pro-2-packs"), {"energy_rated": 20.48}),
    ("F18", one("powerdepot-h5b"), {"energy_rated": 15.36}),
    ("F18", one("tower-t14"), {"energy_rated": 14.21}),
    ("F18", one("stack100-expanded"), {"energy_rated": 66.56}),
    ("F18", one("cygni"), {"energy_rated": 30.72}),
    ("F18", one("powerbrick-sc"), {"energy_rated": 16.077}),
    ("F25", one("dl5-1", overrides=ZEROS), {"current": 0, "power": 0, "soc": 0, "status": "idle"}),
    ("F25", one("dl5-1", overrides=ZEROS), {"cell_temperature_max": 0, "cell_temperature_min": -7.5}),
    ("F25", one("dl5-1", overrides=ZEROS), {"charge_current_limit": 0, "discharge_current_limit": 0}),
    (
        "F27",
        one("dl5-1", overrides={"1800": "21.0", "2000": "21.0", "1300": "3.331", "1500": "3.331"}),
        {
            "cell_temperature_max": 21,
            "cell_temperature_min": 21,
            "cell_voltage_max": 3.331,
            "cell_voltage_min": 3.331,
            "cell_voltage_spread": 0,
        },
    ),
    *((f"F30 {name}", one(name), CHARGING) for name in ("dl5-1", "tower-t14", "powerbrick-sc", "junior-box", "cygni")),
    ("F35", one("tower-t14", overrides={"1800": "27.8"}), {"cycles": None}),
    ("F36", one("dl5-2", overrides={"1200": "80", "800": "50"}), {"energy_rated": 10.24, "energy_remaining": 4.096}),
    ("F36", one("junior-box"), {"discharge_depth": 90}),
    ("F25", one("dl5-1", warmer_by=-30), {"cell_temperature_min": negative, "cell_temperature_max": negative}),
    ("F39", one("dl5-1", communication="Offline"), {"online": "on"}),
    ("F40", one("tower-t14", work_status="Fault"), {"work_status": "fault", "status": "charging", "alarm": "off"}),
    ("F41", one("dl5-1", overrides=FULL), {"warning": "on", "cell_voltage_high": "on", "charge_enabled": "off"}),
    ("F41", one("dl5-1", overrides=FULL), {"charge_current_limit": 0, "alarm": "off"}),
]


@pytest.mark.parametrize(("device", "expected"), [pytest.param(*row, id=of) for of, *row in SHOWN])
async def test_shown(hass: HomeAssistant, live: Live, device: Storage, expected: Mapping[str, Any]) -> None:
    await live.start(device)
    await live(6)
    for key, value in expected.items():
        found = state(hass, key, device.serial)
        if value is None:
            assert found in NOTHING, key
        elif isinstance(value, Callable):  # type: ignore[arg-type]
            assert value(found), (key, found)
        elif isinstance(value, str):
            assert found == value, key
        else:
            assert number(hass, key, device.serial) == pytest.approx(value, abs=0.002), key


@pytest.mark.parametrize("kind", ["rate_limited", "rate_limited_in_body"])
async def test_f1_a_module_is_limited(
    hass: HomeAssistant, live: Live, caplog: pytest.LogCaptureFixture, kind: FaultKind
) -> None:
    device = one("dl5-2")
    cloud, _ = await live.start(device)
    await live(6)
    limited, other = serials_of(device)
    caplog.clear()
    cloud.add_fault(Fault(kind, path=REALTIME, serial=limited, times=2))
    await live(24)
    assert state(hass, "online", limited) == "on"
    assert logged(caplog, logging.WARNING) == []
    assert now() - dt_util.parse_datetime(state(hass, "last_report", other) or "", raise_on_error=True) < timedelta(
        minutes=12
    )
    cloud.add_fault(Fault(kind, path=REALTIME, serial=limited))
    await live(45)
    assert state(hass, "online", limited) == "off"
    assert state(hass, "online", other) == state(hass, "online", device.serial) == "on"


async def test_f4_one_account_is_one_queue(hass: HomeAssistant, live: Live) -> None:
    cloud, entry = await live.start(one("dl5-1"), one("tower-t14"))
    queue = entry.runtime_data.queue
    assert connection(hass, {**entry.data, "app_secret": "new", "region": "asia_pacific"}).queue is queue
    assert queue.calls_last_hour == len(cloud.calls)


async def test_f5_f9_f37_f43_what_is_asked(live: Live) -> None:
    """Nothing is bound, nothing asked of version 2 or of the alarms, and running data of inverters only."""
    cloud, _ = await live.start(*(one(name) for name in ("dl5-2", "tower-t14", "powerbrick-sc", "cygni", "junior-box")))
    await live(31)
    asked = {call.path for call in cloud.calls}
    assert {path.split("/")[1] for path in asked} == {"v1"}
    assert not [path for path in asked if "bind" in path.lower() or "alarm" in path.lower()]
    assert {call.serial for call in cloud.calls if "Running" in call.path} == {one("cygni").serial}


@pytest.mark.parametrize("name", ["dl5-6-coordinator", "powerbox-pro-2-packs", "dl5-3"])
async def test_f18_a_doubtful_capacity_is_the_users_to_say(hass: HomeAssistant, live: Live, name: str) -> None:
    """No module answers, and the cloud's number may be that of one, of all, or of one too many."""
    device = build(name, sub=("null",))[0]
    _, entry = await live.start(device)
    await live(1)
    assert state(hass, "energy_rated", device.serial) is state(hass, "energy_remaining", device.serial) is None
    hass.config_entries.async_update_entry(entry, options={"capacity": {device.serial: 20.48}})
    await live(0.1)
    assert number(hass, "energy_rated", device.serial) == 20.48
    soc = number(hass, "soc", device.serial)
    assert number(hass, "energy_remaining", device.serial) == pytest.approx(20.48 * soc / 100, abs=0.001)


async def test_f19_amperehours_are_no_percentages(hass: HomeAssistant, live: Live) -> None:
    device = one("powerbox-pro")
    await live.start(device)
    (module,) = serials_of(device)
    assert number(hass, "capacity_full", module) == 200
    assert number(hass, "soc", module) == pytest.approx(number(hass, "capacity_remaining", module) / 2, abs=0.051)
    assert state(hass, "soh", module) is None
    # And not the 65.535 Ah of the 16-bit fields.
    assert number(hass, "energy_rated", module) == pytest.approx(10.24)


class Backwards(PowerHistory):
    """In no order to rely on."""

    def records(self, *arguments: Any, **options: Any) -> list[Any]:
        return super().records(*arguments, **options)[::-1]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param(PowerHistory(null_tail=2), -3, id="F20: the newest with a value"),
        pytest.param(PowerHistory(soc_only_null=True), None, id="F20: none with a value"),
        pytest.param(PowerHistory(yesterday=True), None, id="F21: of yesterday"),
        pytest.param(PowerHistory(null_tail=6), None, id="F21: late"),
        pytest.param(Backwards(), 1, id="F22: backwards"),
    ],
)
async def test_f20_f21_f22_a_state_of_charge_from_the_day(
    hass: HomeAssistant, live: Live, history: PowerHistory, expected: int | None
) -> None:
    """A battery that has it in the day's records only, and one whose points have it, which come before records."""
    device = one("powerbrick-b", has_soc=False, absent=frozenset({"14000", "14100"}), history=history)
    itself = one("dl5-1", history=history)
    await live.start(device, itself)
    await live(0.2)
    records = device.power_history(now())
    recorded = None if expected is None else records[expected]["soc"]
    assert state(hass, "soc", device.serial) in ((recorded,) if recorded else NOTHING)
    assert number(hass, "soc", itself.serial) == itself.truth(now())["soc"]
    for serial in (device.serial, itself.serial):
        power = number(hass, "voltage", serial) * number(hass, "current", serial)
        assert number(hass, "power", serial) == pytest.approx(power, abs=0.06)


@pytest.mark.parametrize("zone", ["Europe/Istanbul", "Asia/Bangkok", "America/Sao_Paulo"])
async def test_f23_times_are_utc(hass: HomeAssistant, live: Live, zone: str) -> None:
    await hass.config.async_set_time_zone(zone)
    device = one("dl5-1", utc_offset=timedelta(hours=3))
    await live.start(device)
    shown = dt_util.parse_datetime(state(hass, "last_report", device.serial) or "")
    assert shown == device.sample_time(now())
    assert state(hass, "online", device.serial) == "on"


async def test_f26_f42_what_comes_and_goes(hass: HomeAssistant, live: Live) -> None:
    device = one("powerdepot-g2")
    await live.start(device)
    for limit, alarm in ((120, "0"), (60, "1"), (40, "0"), (20, "0"), (0, "1"), (20, "0")):
        device.overrides = {"3800": f"{limit}.0", "3407": alarm, "4100": alarm}
        await live(6)
        assert number(hass, "charge_current_limit", device.serial) == limit
        assert state(hass, "alarm", device.serial) == ("on" if alarm == "1" else "off")


@pytest.mark.parametrize("missing", ["", None, "absent"])
async def test_f28_f29_a_slow_quantity_stays(hass: HomeAssistant, live: Live, missing: str | None) -> None:
    """And another appears with its first value; points that are always empty are no entities."""
    battery, tower = one("dl5-1", absent=frozenset({"900", "1200"}), history=None), one("tower-t14")
    await live.start(battery, tower)
    assert state(hass, "cycles", battery.serial) is state(hass, "soh", battery.serial) is None
    battery.absent, battery.overrides = frozenset(), {"900": "41"}
    await live(11)
    before = number(hass, "energy_charged", tower.serial)
    if missing == "absent":
        battery.overrides, battery.absent, tower.absent = {}, frozenset({"900", "1200"}), frozenset({"1500", "1900"})
    else:
        battery.overrides, tower.overrides = {"900": missing, "1200": missing}, {"1500": missing, "1900": missing}
    await live(16)
    assert number(hass, "cycles", battery.serial) == 41
    assert number(hass, "soh", battery.serial) == number(hass, "soh", tower.serial) == 100
    assert number(hass, "energy_charged", tower.serial) >= before
    assert state(hass, "soh_average", battery.serial) is None


@pytest.mark.parametrize("variant", ["A", "B"])
async def test_f32_another_variant_after_a_firmware_update(hass: HomeAssistant, live: Live, variant: str) -> None:
    device = one("powerbrick-a-1", variant=variant, switches=[NOON + timedelta(minutes=10)])
    _, entry = await live.start(device)
    before = states_of(hass, entry, device.serial).keys()
    for _ in range(4):
        truth = device.truth(now())
        for key in ("soc", "voltage", "current", "power", "cell_voltage_max", "cell_voltage_min"):
            assert number(hass, key, device.serial) == pytest.approx(truth[key], abs=0.06), key
        assert state(hass, "status", device.serial) == truth["status"]
        assert before <= states_of(hass, entry, device.serial).keys()
        await live(5)
    assert device.firmware(now()) != device.model.firmware


@pytest.mark.parametrize("name", ["future-low-voltage", "future-high-voltage"])
async def test_f33_a_model_that_nobody_has_seen(hass: HomeAssistant, live: Live, name: str) -> None:
    device = one(name)
    cloud, entry = await live.start(device)
    truth = device.truth(now())
    for key in ("soc", "voltage", "cell_voltage_max", "cell_voltage_min", "soh"):
        assert number(hass, key, device.serial) == pytest.approx(truth[key]), key
    assert [issue.translation_placeholders for issue in issues(hass, "read_by_name")] == [{"model": "PowerNext 12"}]
    (found,) = (await async_get_config_entry_diagnostics(hass, entry))["devices"]
    assert {point["pointId"] for point in found["points"]} == {point["pointId"] for point in device.points(NOON)}
    # A release that knows the model, or a firmware that speaks as others do.
    cloud.devices[device.serial] = LowVoltage(serial=device.serial, model=DL5)
    await live(6)
    assert not issues(hass, "read_by_name")


async def test_f33_nothing_is_guessed(hass: HomeAssistant, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NamelessModel, "names", {"X1": "Qa", "X2": "Qb", "X3": "Qc", "X4": ""})
    device = one("future-nameless")
    _, entry = await live.start(device)
    assert not states_of(hass, entry, device.serial)
    (found,) = (await async_get_config_entry_diagnostics(hass, entry))["devices"]
    assert [point["pointId"] for point in found["points"]] == ["X1", "X2", "X3", "X4"]


@pytest.mark.parametrize("name", ["", "PowerBrick", "PowerBrick SC", "DL5.0C", "Tower T14", "神秘"])
async def test_f31_f34_names_do_not_matter(hass: HomeAssistant, live: Live, name: str) -> None:
    """1400, 1600 and 13400 mean something else in a low-voltage pack, in its 5-digit variant and in a tower."""
    devices = [
        LowVoltage(serial="DEMOPLAIN-BMS", model=POWERBRICK, model_name=name),
        LowVoltage(serial="DEMOFIVE-BMS", model=POWERBRICK_SC, model_name=name, variant="B", has_soc=False),
        one("tower-t14", model_name=name),
    ]
    await live.start(*devices)
    for device in devices:
        truth = device.truth(now())
        for key in ("voltage", "current", "soc", "cell_voltage_max", "energy_rated"):
            assert number(hass, key, device.serial) == pytest.approx(truth[key], abs=0.051), key
    assert state(hass, "current", serials_of(devices[2])[0]) is None


async def test_f37_an_inverter_is_asked_again(hass: HomeAssistant, live: Live) -> None:
    """Less often while it sleeps."""
    device = Cygni(serial="DEMONIGHT", null_at_night=True)
    cloud, _ = await live.start(device)
    await live(16)
    total = number(hass, "pv_energy", device.serial)
    assert number(hass, "pv_power", device.serial) > 0
    await live(14 * 60)
    assert state(hass, "pv_power", device.serial) in NOTHING
    assert number(hass, "pv_energy", device.serial) >= total
    cloud.calls.clear()
    await live(60)
    assert len([call for call in cloud.calls if "Running" in call.path]) <= 3
    await live(5 * 60)
    assert number(hass, "pv_power", device.serial) > 0


async def test_f38_energies_of_a_battery_with_and_without_counters(hass: HomeAssistant, live: Live) -> None:
    devices = [one("tower-t14"), one("dl5-1")]
    _, entry = await live.start(*devices)
    await live(11)
    keys = [(key, device.serial) for device in devices for key in ("energy_charged", "energy_discharged")]
    before = [number(hass, *key) for key in keys]
    await live(16)
    await live.restart(entry)
    after = [number(hass, *key) for key in keys]
    assert all(later >= sooner for later, sooner in zip(after, before, strict=True))
    assert sum(after) > sum(before)
