"""What ``gate incidents`` looks for, and where."""

from datetime import datetime, timedelta
from fractions import Fraction

from gate.dataclass import dataclass
from gate.history.incident_shares import incident_request
from gate.history.records import Deployment, IncidentRecord
from gate.measure.history import SeriesRequest
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, Span, SpendSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOptions:
    """The bounds of the search, and the incidents that are known already."""

    at: datetime
    """The end of the history that is looked at."""
    last: timedelta
    """The length of the time that is looked at."""
    step: timedelta
    """At most ``last``."""
    threshold: Fraction
    """A burn rate, above 0."""
    timeout: timedelta
    min_share: Fraction = Fraction(0)
    """The share of a budget that an incident costs at least, 0 to 1; smaller ones are summed up."""
    records: tuple[IncidentRecord, ...] = ()
    deploys: tuple[Deployment, ...] = ()
    since: Deployment | None = None
    """A deploy, before and after which the failures are compared."""

    @property
    def span(self) -> Span:
        """The time to search."""
        return Span(self.at - self.last, self.at)

    def request(self, policy: Policy, slo: RatioSlo | SpendSlo) -> SeriesRequest:
        """Return what to ask of an SLO's history; it begins before the time to search."""
        return incident_request(slo, self.span, self.step, max_age=policy.guards_of(slo).max_age)
