"""The pages of ``gate check`` and ``gate status``: the verdict, every budget, its details."""

from collections.abc import Sequence
from functools import partial

from gate.budget.assessment import Assessment
from gate.decision.decision import Decision, PolicyDecision
from gate.decision.document import to_document
from gate.decision.status import PolicyStatus, Status, status_document
from gate.reporters import drawing, summary
from gate.reporters.budgets import BAR, budget_table, details
from gate.reporters.page import Badge, Column, Facts, Folded, Link, Output, Page, QueryText, Section

_SUMMARY = "Windows, forecasts, burn rates, and what the budgets can pay for"


def decision_output(decision: Decision) -> Output:
    """Return a decision as it is written in any format."""
    return Output(page=partial(_decision, decision), document=partial(to_document, decision))


def status_output(status: Status) -> Output:
    """Return the budgets alone as they are written in any format."""
    return Output(page=partial(_status, status), document=partial(status_document, status))


def _decision(decision: Decision) -> Page:
    several = len(decision.policies) > 1
    return Page(
        title=summary.overall(decision) if several else None,
        badge=Badge(decision.verdict, summary.verdict_word(decision.verdict, decision))
        if several
        else None,
        sections=tuple(_decided(decided, decision) for decided in decision.policies),
        closing=(Facts(tuple(summary.closing(decision)), small=True),),
    )


def _decided(decided: PolicyDecision, decision: Decision) -> Section:
    dashboard = decided.policy.dashboard
    return Section(
        title=summary.subject(decided),
        badge=Badge(decided.verdict, summary.verdict_word(decided.verdict, decision)),
        blocks=(
            Facts(tuple(summary.facts(decided, decision))),
            budget_table(decided.assessments, BAR),
            _details(decided.assessments, summary.in_question(decided)),
            *((Link(label="Dashboard", address=dashboard),) if dashboard else ()),
            Facts(tuple(summary.origin(decided)), small=True),
        ),
    )


def _status(status: Status) -> Page:
    return Page(
        sections=tuple(map(_budgets, status.policies)),
        closing=(summary.signature(status.evaluated_at, status.tool_version),),
    )


def _budgets(status: PolicyStatus) -> Section:
    service, burn_downs = status.policy.service, status.burn_downs
    column: Column[Assessment] = drawing.column(burn_downs) if burn_downs else BAR
    return Section(
        title=service,
        full_title=f"Error budgets of {service}",
        blocks=(
            budget_table(status.assessments, column),
            _details(status.assessments, status.assessments),
            summary.policy_text(status.source),
        ),
    )


def _details(assessments: Sequence[Assessment], pressing: Sequence[Assessment]) -> Folded:
    return Folded(
        summary=_SUMMARY,
        sections=tuple(
            Section(
                title=assessment.slo.name,
                pressing=assessment in pressing,
                blocks=(
                    Facts(tuple(details(assessment))),
                    *((QueryText(assessment.query),) if assessment.query is not None else ()),
                ),
            )
            for assessment in assessments
        ),
    )
