"""A client of the fake GitHub whose time is its own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests

from gate.hosts.github import GitHub
from gate.http import Clock
from tests.servers.github import REPOSITORY, TOKEN


@dataclass(slots=True)
class Time:
    """A clock that only sleeping moves."""

    now: float = 1000.0
    jitter: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        """Return it in the form that clients take."""
        return Clock(
            monotonic=lambda: self.now,
            sleep=self.sleep,
            now=lambda: datetime(2026, 11, 1, tzinfo=UTC),
            jitter=lambda: self.jitter,
        )


def asking(
    url: str,
    time: Time | None = None,
    *,
    token: str = TOKEN,
    seconds: float = 90.0,
    session: requests.Session | None = None,
) -> GitHub:
    """Return a client of the API at an address."""
    clock = (time or Time()).clock()
    return GitHub(REPOSITORY, token, url=url, session=session, clock=clock, seconds=seconds)
