"""What one sample of one device says, in the vocabulary of the integration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .raw import Point
from .vocabulary import Key

type Value = float | int | str | datetime


@dataclass(kw_only=True, slots=True)
class Reading:
    """One decoded sample.

    Power and current are positive while discharging; units are those of the product contract, section 4.
    """

    family: str | None = None
    """Name of the family whose table was used; None where no family is recognised."""
    values: dict[Key, Value] = field(default_factory=dict)
    flags: dict[Key, bool] = field(default_factory=dict)
    attributes: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    """What belongs to a value, as the cell that has it."""
    sampled_at: datetime | None = None
    """When the device took the sample, in UTC."""
    firmware: str | None = None
    modules: tuple[str, ...] = ()
    """Serial numbers of the devices behind this one, as this sample lists them: a hint, never the truth."""
    unknown: tuple[Point, ...] = ()
    """Points with a value that no rule used."""
    implausible: tuple[Point, ...] = ()
    """Points whose value cannot be: they are shown nowhere but in diagnostics."""

    by_position: bool = False
    """Whether some points were read by their id alone, under vendor names that no table has."""

    @property
    def empty(self) -> bool:
        """Whether the sample says nothing that can be shown."""
        return not (self.values or self.flags)

    @property
    def understood(self) -> bool:
        """Whether anything is known of what answered; False where points came and none has a meaning."""
        return self.family is not None or not self.unknown
