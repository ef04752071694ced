"""What runs for one config entry.

An `Account` reads each device through a `ReadingsCoordinator` (`coordinator.py`), which fetches an answer, decodes it
and shows it; `battery.py` and `atess.py` say what belongs to a battery or a converter, `dyness.py` which there are.

When a device is asked (`schedule.py`): a master just after its next upload, by the `Rhythm` of its samples; its modules
as soon as it has a new sample, as many as the calls of the hour allow (`Pace`); a converter every five and a half
minutes. Each call then waits for its turn in the account's queue (`cloud/queue.py`).

What a failure does (`read.py`, the one place): values stay until a second try ten seconds later; then what was measured
is unavailable, and the device is asked less and less often (`Retries`), behind those that answer. When one answers
again, those that failed with it are asked at once. A rate limit pauses the whole account; values stay until they are
half an hour old.
"""
