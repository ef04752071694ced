"""What a read can end in without an answer (product contract, section 5)."""

from datetime import timedelta


class CloudError(Exception):
    """A read that gave no data. The text names no secret, serial number or vendor text."""

    outcome = "unavailable"
    """What it is called; also the key of its translation."""
    proves_credentials = False
    """Whether the cloud has answered somebody whom it knows."""


class CloudUnavailable(CloudError):
    """The cloud or its way to the device is down for now."""


class CloudUnreachable(CloudUnavailable):
    """No connection was made: name not resolved, refused, or TLS not accepted."""

    outcome = "unreachable"


class CloudTrouble(CloudUnavailable):
    """The cloud itself says that it does not reach something, whatever was asked for."""

    proves_credentials = True


class CloudRefused(CloudUnavailable):
    """The cloud answered that it does not do this, as for a serial number that it does not know."""

    outcome = "refused"
    proves_credentials = True


class CloudRateLimited(CloudError):
    """Too many calls. `retry_after` is what the cloud asks for, in seconds, where it says so."""

    outcome = "rate_limited"

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__("rate limited")
        self.retry_after = retry_after


class CloudRejected(CloudError):
    """The credentials are not accepted, or the clock that signs with them is wrong."""

    outcome = "rejected"

    def __init__(self, clock_error: timedelta | None = None) -> None:
        """Keep by how much our clock is ahead of the cloud's, where the cloud says what time it is."""
        super().__init__("access denied")
        self.clock_error = clock_error


class CloudEmpty(CloudError):
    """A successful answer without a single value in it."""

    outcome = "empty"
    proves_credentials = True
