"""What `scripts/accuracy` measures: nothing falls, history helps, and the helper is as Home Assistant's."""

from datetime import UTC, datetime
from random import Random
from statistics import fmean

from homeassistant.components.integration.sensor import IntegrationSensor
from homeassistant.const import UnitOfTime
from homeassistant.core import HomeAssistant, State
import pytest

from emulator.accuracy.errors import Errors, add_sampled, kinds_of_hours
from emulator.accuracy.houses import APPLIANCES, HOUSES
from emulator.accuracy.month import Month, Riemann, outages


def test_a_month() -> None:
    house = HOUSES["DL5.0C x 3"](APPLIANCES, weather=1)
    chance = Random(1)  # noqa: S311
    month = Month(house=house, gaps=outages(chance), chance=chance)
    month.run()
    kinds, ours, bare = kinds_of_hours(month), Errors(), Errors()
    assert len(kinds["told"]) > 10
    assert len(kinds["live"]) > 500
    for total, other in zip(month.ours, month.bare, strict=True):
        assert min(total.changes().values()) > -1e-9
        assert total.hours[max(total.hours)] == other.hours[max(other.hours)]
        assert {round(row.sum - row.state, 3) for row in total.hours.values()} == {0.0}
    ours.add(house, month.ours, kinds)
    bare.add(house, month.bare, kinds)
    assert max(ours.of_months) < 0.015
    assert fmean(ours.hours["told"]) < 40 < fmean(bare.hours["told"])
    add_sampled(sampled := Errors(), house)
    for errors in zip(*sampled.months, strict=True):
        assert fmean(errors) == pytest.approx(0, abs=1e-6)
        assert max(errors) > 0.0005


@pytest.mark.parametrize("method", ["left", "trapezoidal"])
def test_riemann_sums(hass: HomeAssistant, method: str) -> None:
    """Of the same states Home Assistant's helper makes the same."""
    begin = datetime(2026, 5, 1, tzinfo=UTC).timestamp()
    states = [(0, 100.0), (300, 700.0), (600, 700.0), (900, None), (4000, 300.0), (4300, 0.0), (4600, 500.0)]
    mine, real = (
        Riemann("left" if method == "left" else "trapezoidal", begin),
        IntegrationSensor(
            integration_method=method,
            name=None,
            round_digits=3,
            source_entity="sensor.power",
            unique_id=None,
            unit_prefix="k",
            unit_time=UnitOfTime.HOURS,
            max_sub_interval=None,
        ),
    )
    real.hass, real.async_write_ha_state = hass, lambda: None  # type: ignore[method-assign]
    before: State | None = None
    for seconds, power in states:
        mine.write(begin + seconds, power)
        at = datetime.fromtimestamp(begin + seconds, UTC)
        state = State("sensor.power", "unavailable" if power is None else str(power), None, at, at, at)
        real._integrate_on_state_change(None, None, before, state)
        before = state
    assert mine.total == pytest.approx(float(real.native_value or 0), abs=0.001)
    assert mine.total > 0.05
