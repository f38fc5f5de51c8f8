"""A backtest as plain data; durations are in seconds, shares are fractions of 1."""

from gate.analysis import (
    document_head,
    left_out_document,
    reservations_document,
    unmeasured_document,
)
from gate.analysis.backtest import BacktestReport, PolicyBacktest, ServiceBacktest
from gate.analysis.backtest.budgets import ReplayedBudget
from gate.analysis.backtest.freezes import FrozenMonth, Standing
from gate.analysis.backtest.verdicts import Objection, PastVerdict, ThresholdCandidate
from gate.analysis.incidents import SearchedSlo
from gate.decision.document import backends_document, source_document
from gate.decision.slo_document import Json, rfc3339, share
from gate.policy.findings import Finding, Verdict


def backtest_document(report: BacktestReport) -> Json:
    """Return the report as plain data."""
    every = report.every
    return {
        **document_head(report.span.end, report.tool_version, report.exit_code),
        "from": rfc3339(report.span.start),
        "to": rfc3339(report.span.end),
        "every_seconds": None if every is None else every.total_seconds(),
        "services": [_service(service) for service in report.services],
    }


def _service(service: ServiceBacktest) -> Json:
    incidents, against = service.incidents, service.against
    return {
        "service": service.tried.policy.service,
        "incidents": [
            {"start": rfc3339(incident.start), "end": rfc3339(incident.end)}
            for incident in service.tried.nearness.incidents
        ],
        "slos": [_searched_slo(slo) for slo in incidents.slos],
        "left_out": left_out_document(incidents.left_out),
        "policy": _policy(service.tried),
        "against": None if against is None else _policy(against),
        "differing": [
            {"at": rfc3339(tried.at), "policy": tried.verdict, "against": other.verdict}
            for tried, other in service.differing
        ],
    }


def _searched_slo(slo: SearchedSlo) -> Json:
    return {
        "name": slo.slo,
        "unknown_share": share(slo.unknown),
        "reservations": reservations_document(slo.reservations),
        "unmeasured": unmeasured_document(slo.unmeasured),
    }


def _policy(tried: PolicyBacktest) -> Json:
    return {
        "source": source_document(tried.source),
        "backends": backends_document(tried.policy),
        "change_class": tried.change,
        "counted": f"{tried.unit}s",
        "count": len(tried.counted),
        "verdicts": {
            str(verdict): {
                "count": outcome.count,
                "before_incident": outcome.before,
                "during_incident": outcome.during,
            }
            for verdict, outcome in tried.outcomes.items()
        },
        "blocked_by": [_objection(objection) for objection in tried.blocked_by],
        "undecided_by": [_objection(objection) for objection in tried.undecided_by],
        "frozen_seconds": tried.frozen.total_seconds(),
        "months": [_month(month) for month in tried.months],
        "freezes": [_freeze(freeze) for freeze in tried.freezes],
        "budgets": [_budget(budget) for budget in tried.budgets],
        "thresholds": [_candidate(candidate) for candidate in tried.candidates],
        "results": [_result(past, tried) for past in tried.verdicts],
    }


def _objection(objection: Objection) -> Json:
    return {
        "rule": objection.rule,
        "slo": objection.slo,
        "cause": objection.cause,
        "count": objection.stopped,
        "alone": objection.alone,
        "before_incident": objection.before,
        "example": objection.example,
    }


def _month(month: FrozenMonth) -> Json:
    return {
        "month": f"{month.start:%Y-%m}",
        "judged_seconds": month.judged.total_seconds(),
        "frozen_seconds": month.frozen.total_seconds(),
        "undecided_seconds": month.undecided.total_seconds(),
    }


def _freeze(freeze: Standing) -> Json:
    return {
        "from": rfc3339(freeze.span.start),
        "to": rfc3339(freeze.span.end),
        "duration_seconds": freeze.span.length.total_seconds(),
        "reasons": list(freeze.reasons),
    }


def _budget(budget: ReplayedBudget) -> Json:
    return {
        "slo": budget.slo,
        "lowest": share(budget.lowest),
        "lowest_at": rfc3339(budget.lowest_at),
        "ran_out": budget.ran_out,
        "remaining": share(budget.left),
        "remaining_at_most_without": share(budget.left_at_most),
    }


def _candidate(candidate: ThresholdCandidate) -> Json:
    return {
        "remaining": share(candidate.threshold),
        "blocked": candidate.stopped,
        "blocked_before_incident": candidate.before,
        "allowed": candidate.through,
        "allowed_before_incident": candidate.through_before,
    }


def _result(past: PastVerdict, tried: PolicyBacktest) -> Json:
    incident = tried.nearness.before(past.at)
    return {
        "at": rfc3339(past.at),
        "revision": None if past.deploy is None else past.deploy.revision,
        "change_class": past.change,
        "verdict": past.verdict,
        "tier": past.tier,
        "slo": past.worst,
        "remaining": share(past.left),
        "before_incident": None if incident is None else rfc3339(incident.start),
        "findings": [
            _finding(finding) for finding in past.findings if finding.verdict is not Verdict.ALLOW
        ],
    }


def _finding(finding: Finding) -> Json:
    return {
        "rule": finding.rule,
        "slo": finding.slo,
        "verdict": finding.verdict,
        "reason": finding.reason,
    }
