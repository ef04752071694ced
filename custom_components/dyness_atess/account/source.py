"""What a coordinator reads from."""

from datetime import datetime
from typing import Any, Protocol

from ..cloud.queue import Turn
from ..telemetry.reading import Reading


class Source(Protocol):
    """Where the readings of one device come from."""

    async def fetch(self, turn: Turn) -> Any:
        """Ask the cloud.

        Raises:
            CloudError: one of the declared outcomes.
        """

    def decode(self, raw: Any, received_at: datetime) -> Reading:
        """Return what an answer means, which may be nothing. Never raises."""
