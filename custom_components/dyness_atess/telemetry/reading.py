"""What one sample of one device says, in our own words."""

from dataclasses import dataclass, field
from datetime import datetime

from .raw import Point
from .vocabulary import Key

type Value = float | int | str | datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One decoded sample.

    Power and current are positive while discharging; units are those of the product contract, section 4.
    """

    family: str | None = None
    """Name of the family whose table was used; None where no family is recognised."""
    values: dict[Key, Value] = field(default_factory=dict)
    flags: dict[Key, bool] = field(default_factory=dict)
    sampled_at: datetime | None = None
    """When the device took the sample, in UTC."""
    firmware: str | None = None
    modules: tuple[str, ...] = ()
    """Serial numbers of the devices behind this one, as this sample lists them: a hint, never the truth."""
    unknown: tuple[Point, ...] = ()
    """Points with a value that no rule used."""
    implausible: tuple[Point, ...] = ()
    """Points whose value cannot be: they are shown nowhere but in diagnostics."""

    @property
    def empty(self) -> bool:
        """Whether the sample carries no value at all."""
        return not (self.values or self.flags or self.unknown or self.implausible)
