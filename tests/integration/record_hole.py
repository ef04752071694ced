"""Records a day with a hole of three hours on the real recorder, for `tests/browser/test_energy.py`.

`HOLE` is where the database goes, `HOLE_BEGIN` when the day begins, and `HOLE_FILLS` whether the hole is filled ("yes",
"no"); with "whole" there is none.
"""

from datetime import datetime, timedelta
import os
import sqlite3
from typing import Any

from homeassistant.components.recorder import get_instance
from homeassistant.core import HomeAssistant
import pytest

from custom_components.dyness_atess.account.statistics import Completion
from emulator.faults import Fault

from .conftest import Live, one
from .test_statistics import begin, mock_recorder_before_hass  # noqa: F401


@pytest.mark.parametrize("persistent_database", [True])
async def test_record(recorder_mock: Any, hass: HomeAssistant, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.environ["HOLE_FILLS"] == "no":
        monkeypatch.setattr(Completion, "_on_compiled", lambda *_: None)
    at = datetime.fromisoformat(os.environ["HOLE_BEGIN"])
    device = one("dl5-1", utc_offset=timedelta(hours=float(os.environ["HOLE_UTC_OFFSET"])))
    recording, cloud, _ = await begin(hass, live, device, at)
    if os.environ["HOLE_FILLS"] == "whole":
        await recording(970)
    else:
        await recording(250)
        cloud.add_fault(Fault("network_anomaly"))
        await recording(180)
        cloud.clear_faults()
        await recording(430)
    await recording.settle()
    source = sqlite3.connect(get_instance(hass).db_url.removeprefix("sqlite:///"))
    source.backup(target := sqlite3.connect(os.environ["HOLE"]))
    source.close()
    target.close()
