"""Asking again until a change may ship, at a pace that no backend minds."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gate.cli.session import now
from gate.cli.streams import tell
from gate.decision.decision import Decision
from gate.errors import ExitCode

_FIRST: Final = 15.0
"""Seconds: a budget does not change sooner than a scrape."""


_LONGEST: Final = 120.0


_GROWTH: Final = 1.5


def until_allowed(
    decide: Callable[[datetime], Decision], at: datetime, wait: timedelta | None
) -> Decision:
    """Return the first decision that lets the change ship, or the last one when time is up.

    Args:
        decide: measures and judges at an instant.
        at: the first instant.
        wait: how long to go on; None: one decision, whatever it is.
    """
    decision = decide(at)
    end = time.monotonic() + (wait.total_seconds() if wait else 0)
    pause = _FIRST
    while decision.exit_code is not ExitCode.ALLOW and (left := end - time.monotonic()) > 0:
        pause = min(pause, left)
        tell(f"gate: {decision.verdict}; asking again in {pause:.0f} s, for {left:.0f} s more")
        time.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST)
        decision = decide(now())
    return decision
