"""What a read can end in beside an answer (product contract, section 5)."""

from datetime import timedelta


class CloudError(Exception):
    """A read that gave no data. The text names no secret, serial number or vendor text."""


class CloudUnavailable(CloudError):
    """The cloud or its way to the device is down for now; says nothing about credentials."""

    def __init__(self, reason: str, *, answered: bool = False) -> None:
        """Keep whether the cloud itself answered, with a refusal of this one request.

        Args:
            reason: English words for the log.
            answered: True where the code is not one of a network trouble, as for an unknown serial number.
        """
        super().__init__(reason)
        self.answered = answered


class CloudUnreachable(CloudUnavailable):
    """No connection was made: name not resolved, refused, or TLS not accepted."""


class CloudRateLimited(CloudError):
    """Too many calls. `retry_after` is what the cloud asks for, in seconds, where it says so."""

    def __init__(self, retry_after: float | None = None) -> None:
        """Keep the wish of the cloud."""
        super().__init__("rate limited")
        self.retry_after = retry_after


class CloudRejected(CloudError):
    """The credentials are not accepted, or the clock that signs with them is wrong."""

    def __init__(self, clock_error: timedelta | None = None) -> None:
        """Keep by how much our clock is ahead of the cloud's, where the cloud says what time it is."""
        super().__init__("access denied")
        self.clock_error = clock_error


class CloudEmpty(CloudError):
    """A successful answer without a single value in it."""
