"""The search of ``gate incidents``, and its result for one or several policies."""

from datetime import datetime, timedelta
from fractions import Fraction

from gate.analysis import LeftOut, seen_exit_code
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.errors import ExitCode
from gate.history.before_after import BeforeAfter
from gate.history.burned import Burned, FailureLabels, Standout
from gate.history.explanations import AnnotatedIncident
from gate.history.incident_shares import Drain, incident_request
from gate.history.incidents import Incident
from gate.history.records import Deployment, IncidentRecord
from gate.history.service_incidents import Reliability, SloImpact
from gate.measure import Unmeasured
from gate.measure.history import SeriesRequest
from gate.policy.coverage import Reservation
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, Span, SpendSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOptions:
    """The bounds of the search, and the known incidents."""

    at: datetime
    """The end of the searched history."""
    last: timedelta
    """The length of the searched history."""
    step: timedelta
    """At most ``last``."""
    threshold: Fraction
    """A burn rate, above 0."""
    timeout: timedelta
    min_share: Fraction = Fraction(0)
    """The minimum share of a budget that an incident costs, 0 to 1; smaller ones are summed up."""
    records: tuple[IncidentRecord, ...] = ()
    deploys: tuple[Deployment, ...] = ()
    since: Deployment | None = None
    """A deploy; the failures before and after it are compared."""

    @property
    def span(self) -> Span:
        """The time to search."""
        return Span(self.at - self.last, self.at)

    def request(self, policy: Policy, slo: RatioSlo | SpendSlo) -> SeriesRequest:
        """Return the request for an SLO's history; it begins before the searched time."""
        return incident_request(slo, self.span, self.step, max_age=policy.guards_of(slo).max_age)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedSlo:
    """An SLO whose history was searched."""

    slo: str
    impacts: tuple[SloImpact, ...]
    """The impacts of incidents, the oldest first; also empty if nothing is known."""
    unknown: Fraction
    """The share of the time without data, 0 to 1."""
    query: str | None
    unmeasured: Unmeasured | None
    """The reason why the history is missing; None if it is available."""
    smaller: tuple[SloImpact, ...] = ()
    """Incidents that cost less than the minimum share, which are only summed up."""
    notes: tuple[str, ...] = ()
    low_traffic: str | None = None
    """The fact that a single bad event makes an incident; None: it does not."""
    reservations: tuple[Reservation, ...] = ()
    """The doubts about these results."""
    burned: Burned | None = None
    """How many of the failures are in incidents; None without history or without failures."""
    labels: FailureLabels | Unmeasured | None = None
    """The labels that the failures share, or the reason why they are unknown; None: too few
    failures to ask."""

    def standouts(self, incident: Incident) -> tuple[Standout, ...]:
        """Return the common labels of an incident's failures; empty if unknown."""
        labels = self.labels
        return labels.incidents.get(incident.start, ()) if isinstance(labels, FailureLabels) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SinceDeploy:
    """The change of the error ratios with a deploy."""

    deploy: Deployment
    until: datetime
    """The next deploy, or the end of the history."""
    slos: tuple[BeforeAfter, ...]
    """The SLOs that can fail and have a whole step on both sides."""
    together: tuple[Deployment, ...] = ()
    """Other deploys of the service at the same instant, which may have had the effect as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIncidents:
    """The incidents of one policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[SearchedSlo, ...]
    left_out: LeftOut
    """Always empty: every SLO with a budget has a past."""
    annotated: tuple[AnnotatedIncident, ...]
    """All incidents of the service with the known facts about them, the oldest first."""
    reliability: Reliability
    drain: Drain | None
    since: SinceDeploy | None = None
    """None: no deploy was named, or it is of another service."""

    @property
    def by_name(self) -> dict[str, SearchedSlo]:
        """The searched SLOs by name."""
        return {slo.slo: slo for slo in self.slos}


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """The incidents of all policies."""

    services: tuple[ServiceIncidents, ...]
    """At least one."""
    span: Span
    step: timedelta
    threshold: Fraction
    without_impact: tuple[IncidentRecord, ...]
    """Known incidents in the examined time that cost no SLO anything."""
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if too little of a history was seen; otherwise allow, whatever was found."""
        return seen_exit_code(slo for service in self.services for slo in service.slos)
