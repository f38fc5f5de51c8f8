"""Asking which labels the failures have: of incidents, and of what is chronic."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gate.analysis.incidents import SearchedSlo, ServiceIncidents
from gate.backends import labels_of
from gate.history.burned import FEWEST, failure_labels, spans_of
from gate.history.incidents import Incident
from gate.measure import Backend, Cause, Unmeasured
from gate.measure.cohorts import LabelAnswer, LabelRequest
from gate.slo.objective import Span, counts_events

_MOST: Final = 50
"""Values of a label: more say nothing that a person could look into."""
_CANNOT: Final = Unmeasured(
    cause=Cause.NO_DATA, reason="this backend cannot group failures by label"
)


def with_labels(service: ServiceIncidents, backend: Backend, span: Span) -> ServiceIncidents:
    """Return the incidents of a policy with what the failures of each SLO share.

    One more round of queries, or a scan, for all SLOs; none where next to nothing failed.

    Args:
        service: what was found.
        backend: that of the policy.
        span: the time looked at.
    """
    slis = {slo.name: slo.sli for slo in service.policy.slos if counts_events(slo)}
    requests = {
        slo.slo: LabelRequest(sli=slis[slo.slo], spans=spans_of(span, _incidents(slo)), most=_MOST)
        for slo in service.slos
        if slo.slo in slis and slo.burned is not None and slo.burned.bad >= FEWEST
    }
    if not requests:
        return service
    candidate = labels_of(backend)
    answers: Sequence[LabelAnswer] = (
        [_CANNOT] * len(requests)
        if candidate is None
        else candidate.label_counts(list(requests.values()))
    )
    by_name = dict(zip(requests, answers, strict=True))
    return replace(
        service,
        slos=tuple(
            _with_answer(slo, by_name[slo.slo]) if slo.slo in by_name else slo
            for slo in service.slos
        ),
    )


def _incidents(slo: SearchedSlo) -> list[Incident]:
    return [impact.incident for impact in (*slo.impacts, *slo.smaller)]


def _with_answer(slo: SearchedSlo, answer: LabelAnswer) -> SearchedSlo:
    if isinstance(answer, Unmeasured):
        return replace(slo, labels=answer)
    chronic = slo.burned.chronic if slo.burned else 0.0
    return replace(slo, labels=failure_labels(answer, _incidents(slo), chronic=chronic))
