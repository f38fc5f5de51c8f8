"""Information about incidents from other sources: people's records, and deploys before them."""

from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.errors import Mistake

SHORTEST_HASH: Final = 7
"""The fewest characters of a commit's hash, as git shortens it."""
OPEN_FOR: Final = timedelta(days=1)
"""The longest time after the start of a record without an end at which an incident that it is about
may begin."""


class RecordStatus(StrEnum):
    """The stage of the review of an incident."""

    OPEN = "open"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"
    """The cause was found and the actions were agreed: there is a postmortem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """A written record of an incident."""

    id: str
    title: str
    services: tuple[str, ...]
    """The affected services, at least one."""
    slos: tuple[str, ...] = ()
    """The affected SLOs; empty: any SLO of the services."""
    start: datetime
    end: datetime | None
    """The end, after ``start``; None: it is still going on."""
    status: RecordStatus
    cause: str | None = None
    remediation: str | None = None
    """The change that prevents it from happening again."""
    link: str | None = None
    unfilled: tuple[str, ...] = ()
    """The keys that a draft left empty and that are still empty."""
    place: str = field(default="", compare=False)
    """The position of the record: ``incidents/42.yaml:1``."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The missing fields of a reviewed record, in the user's words; empty: it is complete."""
        wanted = {
            "title": self.title,
            "cause": self.cause,
            "remediation": self.remediation,
            f"status: {RecordStatus.REVIEWED}": self.status is RecordStatus.REVIEWED,
        }
        return tuple(name for name, there in wanted.items() if not there or name in self.unfilled)

    def names(self, service: str, slo: str) -> bool:
        """Return whether the record is about this SLO of this service."""
        return service in self.services and (not self.slos or slo in self.slos)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Return whether the record overlaps a time from start to end.

        A common boundary is not enough. A record without an end overlaps only incidents that began
        at most `OPEN_FOR` after its start, for as long as they last: it must not explain incidents
        weeks later.
        """
        last = self.start + OPEN_FOR if self.end is None else self.end
        return self.start < end and start < last

    def covers(self, start: datetime, end: datetime) -> bool:
        """Return whether any part of a step is in its time, which may have no end."""
        return self.start < end and (self.end is None or start < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRecord:
    """A record with a mistake, and the fields that could be read."""

    mistakes: tuple[Mistake, ...]
    """The mistakes, at least one."""
    services: tuple[str, ...] = ()
    """The services; empty: unreadable, so any service."""
    slos: tuple[str, ...] = ()
    """The SLOs; empty: any SLO."""
    start: datetime | None = None
    """The start; None: any time."""
    end: datetime | None = None
    """The end, after ``start``; None: any time from ``start`` on."""

    def may_concern(self, service: str, slo: str, start: datetime, end: datetime) -> bool:
        """Return whether it may be about an SLO of a service in the time from start to end."""
        return (
            (not self.services or service in self.services)
            and (not self.slos or slo in self.slos)
            and (self.start is None or self.start < end)
            and (self.end is None or start < self.end)
        )

    @property
    def first(self) -> str:
        """The first mistake, with file, line and column."""
        mistake = self.mistakes[0]
        return f"{mistake.file}:{mistake.line}:{mistake.column}: {mistake.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A change that was deployed."""

    time: datetime
    revision: str
    service: str | None = None
    """The service; None: every service."""
    change: str | None = None
    """The class of the change."""
    id: str | None = None
    """The id in the tool that deployed it."""

    def is_named(self, name: str) -> bool:
        """Return whether a name is its id, its revision, or the start of a commit's hash."""
        return name in {self.id, self.revision} or (
            len(name) >= SHORTEST_HASH and self.revision.startswith(name)
        )
