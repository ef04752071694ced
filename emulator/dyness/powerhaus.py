"""A PowerHaus: one low-voltage module of 5.12 kWh, from the dump in `payloads/powerhaus.json`."""

from dataclasses import dataclass
from datetime import datetime

from .history import PowerHistory
from .low_voltage import LowVoltage
from .models import POWERHAUS, Model
from .points import Values


@dataclass(kw_only=True)
class PowerHaus(LowVoltage):
    """A PowerHaus in a house with solar panels. It gives neither its serial (500) nor a power history."""

    model: Model = POWERHAUS
    serial: str = "R07E00000000DEMO-BMS"
    module_serial: str = "DEMO000000000001"
    history: PowerHistory | None = None

    def module_serial_of(self, number: int) -> str:
        """Give the serial of the one module."""
        return self.module_serial

    def system_values(self, now: datetime) -> Values:
        """Give points 100 to 4100."""
        return super().system_values(now) | {"500": ""}
