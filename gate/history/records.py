"""What is known of incidents from elsewhere: people's records of them, and deploys before them."""

from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.errors import Mistake

SHORTEST_HASH: Final = 7
"""Characters of a commit's hash, as git shortens it."""
OPEN_FOR: Final = timedelta(days=1)
"""A record without an end is about what had begun by so long after its own start."""


class RecordStatus(StrEnum):
    """How far people have got with an incident."""

    OPEN = "open"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"
    """Its cause was found and what follows from it agreed: there is a postmortem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """An incident that people have written down."""

    id: str
    title: str
    services: tuple[str, ...]
    """The services that it hit, at least one."""
    slos: tuple[str, ...] = ()
    """The SLOs that felt it; empty: any of the services'."""
    start: datetime
    end: datetime | None
    """After ``start``; None: it goes on."""
    status: RecordStatus
    cause: str | None = None
    remediation: str | None = None
    """What was changed so that it does not come back."""
    link: str | None = None
    unfilled: tuple[str, ...] = ()
    """The keys that a draft left to people and that nobody has filled in yet."""
    place: str = field(default="", compare=False)
    """Where it is written: ``incidents/42.yaml:1``."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What it lacks of a reviewed record, as people write it: none, where it is one."""
        wanted = {
            "title": self.title,
            "cause": self.cause,
            "remediation": self.remediation,
            f"status: {RecordStatus.REVIEWED}": self.status is RecordStatus.REVIEWED,
        }
        return tuple(name for name, there in wanted.items() if not there or name in self.unfilled)

    def names(self, service: str, slo: str) -> bool:
        """Return whether it is about this SLO of this service."""
        return service in self.services and (not self.slos or slo in self.slos)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Return whether it has time in common with what went on from start to end.

        Touching is not enough. A record without an end overlaps only what had begun at most
        `OPEN_FOR` after its start, and that for as long as it goes on: it must not explain what
        comes weeks later.
        """
        last = self.start + OPEN_FOR if self.end is None else self.end
        return self.start < end and start < last

    def covers(self, start: datetime, end: datetime) -> bool:
        """Return whether any of a step lies in its time; without an end it covers all from then."""
        return self.start < end and (self.end is None or start < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRecord:
    """A record with a mistake, and what could be read of it anyway."""

    mistakes: tuple[Mistake, ...]
    """At least one."""
    services: tuple[str, ...] = ()
    """Empty: any, since that could not be read."""
    slos: tuple[str, ...] = ()
    """Empty: any."""
    start: datetime | None = None
    """None: at any time."""
    end: datetime | None = None
    """After ``start``; None: any time from ``start`` on."""

    def may_concern(self, service: str, slo: str, start: datetime, end: datetime) -> bool:
        """Return whether it may be about what an SLO of a service felt from start to end."""
        return (
            (not self.services or service in self.services)
            and (not self.slos or slo in self.slos)
            and (self.start is None or self.start < end)
            and (self.end is None or start < self.end)
        )

    @property
    def first(self) -> str:
        """Its first mistake, with file, line and column."""
        mistake = self.mistakes[0]
        return f"{mistake.file}:{mistake.line}:{mistake.column}: {mistake.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A change that went live."""

    time: datetime
    revision: str
    service: str | None = None
    """None: whatever service is looked at."""
    change: str | None = None
    """Its class."""
    id: str | None = None
    """What the tool that deployed it calls it."""

    def is_named(self, name: str) -> bool:
        """Return whether a name is its id, its revision, or the beginning of a commit's hash."""
        return name in {self.id, self.revision} or (
            len(name) >= SHORTEST_HASH and self.revision.startswith(name)
        )
