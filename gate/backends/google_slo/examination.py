"""What ``gate doctor`` says of a project of Google Cloud: its login, and its clock."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from gate.backends.google_slo.settings import GoogleSloSettings
from gate.backends.platforms.api import Api, Call
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.slo.quantities import format_duration

_DIFFERENCE: Final = timedelta(seconds=10)
"""How far two clocks may differ: the header Date has whole seconds, and answers take some time."""
_SECOND: Final = timedelta(seconds=1)


def examine(api: Api, settings: GoogleSloSettings) -> list[CheckResult]:
    """Return what is seen of the project as a whole.

    Whether the login may also read time series shows where each SLO is counted.

    Raises:
        MeasurementError: the project's services cannot be listed; the reason has Google's words.
    """
    path = f"/v3/projects/{settings.project}/services"
    api.ask(Call(path=path, params={"pageSize": "1"}))
    token = (
        "its token is limited to the scope monitoring.read"
        if settings.bearer is None
        else "what else its token may do is not visible"
    )
    message = f"the services of the project {settings.project} can be listed; {token}"
    rights = CheckResult(check=Check.RIGHTS, message=message, examined=f"GET {path}")
    return [rights, *_clock(api, path)]


def _clock(api: Api, path: str) -> Iterator[CheckResult]:
    """Say whether Google's clock agrees with this machine's, if Google has said its time."""
    if api.ahead is None:
        return
    if abs(api.ahead) <= _DIFFERENCE:
        yield CheckResult(check=Check.CLOCK, examined=f"GET {path}")
        return
    side = "ahead of" if api.ahead > timedelta() else "behind"
    shown = format_duration(abs(api.ahead) // _SECOND * _SECOND)
    yield CheckResult(
        check=Check.CLOCK,
        level=Level.DOUBT,
        message=f"Google's clock is {shown} {side} this machine's",
        remedy="set this machine's clock by NTP",
        examined=f"GET {path}",
    )
