"""The page of a decision, and its problems, the worst first."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from posixpath import join, normpath

from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.decision.decision import Decision, PolicyDecision, PolicySource
from gate.decision.document import to_document
from gate.decision.status import PolicyStatus, Status, status_document
from gate.policy.findings import Finding, Rule, Verdict
from gate.reporters import summary
from gate.reporters.budget_rows import BudgetRow, decision_rows, status_rows
from gate.reporters.budget_table import BAR, budget_table, services_table
from gate.reporters.budgets import details, window_text
from gate.reporters.decision_facts import decision_facts, leading
from gate.reporters.outlook import STOPPING, doctor_steps, next_step
from gate.reporters.page import Badge, Column, Fact, Facts, Folded, Link, Output, Page, Section
from gate.reporters.reasons import not_looked_at, reason


def repository_path(source: PolicySource, decision: Decision) -> str:
    """Return the path of a policy from the top of the repository, as code hosts need it."""
    path = PurePath(source.path)
    if path.is_absolute():
        return path.as_posix()
    return normpath(join(decision.context.folder, path.as_posix()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A finding that does not simply allow the change."""

    decided: PolicyDecision
    finding: Finding
    number: int = 1
    """Its number among those about the same subject: two incidents of one SLO are two problems."""

    @property
    def text(self) -> str:
        """The verdict, the subject, and the reason, in one sentence."""
        change, service = self.decided.change_class, self.decided.policy.service
        return f"{self.finding.verdict}: {change} of {service}: {reason(self.finding)}"

    @property
    def fingerprint(self) -> str:
        """A hash of the subject without numbers, so that it stays the same from day to day."""
        finding, decided = self.finding, self.decided
        about = [decided.policy.service, decided.change_class, finding.rule, finding.slo or ""]
        about += [str(self.number)] if self.number > 1 else []
        return hashlib.sha256("\0".join(about).encode("utf-8", "replace")).hexdigest()


def problems(decision: Decision) -> list[Problem]:
    """Return all problems; those of equal weight stay in the order of the policies."""
    return sorted(_all(decision), key=lambda problem: -problem.finding.verdict.severity)


def _all(decision: Decision) -> Iterator[Problem]:
    for decided in decision.policies:
        alike = Counter[tuple[Rule, str | None]]()
        for finding in decided.judgement.findings:
            if finding.verdict is not Verdict.ALLOW:
                alike[finding.rule, finding.slo] += 1
                number = alike[finding.rule, finding.slo]
                yield Problem(decided=decided, finding=finding, number=number)


_SUMMARY = "Details of each SLO: windows, forecasts and burn rates"
_NOTE = "The query of each SLO is in the JSON format of this report."


def decision_output(decision: Decision) -> Output:
    """Return a decision in the form that every format is written from."""
    return Output(page=partial(_decision, decision), document=partial(to_document, decision))


def status_output(status: Status) -> Output:
    """Return the budgets alone in the form that every format is written from."""
    return Output(page=partial(_status, status), document=partial(status_document, status))


def _decision(decision: Decision) -> Page:
    several = len(decision.policies) > 1
    steps = [next_step(decided) for decided in decision.policies]
    url = decision.context.url
    return Page(
        title=summary.overall(decision) if several else None,
        badge=Badge(decision.verdict, summary.verdict_word(decision.verdict, decision))
        if several
        else None,
        introduction=(services_table(decision),) if several else (),
        sections=tuple(
            _decided(decided, decision)
            for decided in sorted(decision.policies, key=lambda each: -each.verdict.severity)
        ),
        closing=(
            *((Link(label="Run", address=url, elsewhere=True),) if url else ()),
            Facts(tuple(summary.decision_closing(decision)), small=True),
            *dict.fromkeys(step for step in steps if step is not None),
        ),
    )


def _decided(decided: PolicyDecision, decision: Decision) -> Section:
    dashboard, rows = decided.policy.dashboard, decision_rows(decided)
    pressing = summary.in_question(decided)
    blocked = decided.verdict in STOPPING
    return Section(
        title=summary.subject(decided),
        badge=Badge(
            summary.enforced(decided.verdict, decision),
            summary.verdict_word(decided.verdict, decision),
        ),
        folded=len(decision.policies) > 1,
        blocks=(
            Facts(tuple(decision_facts(decided, decision)), leading=leading(decided.verdict)),
            budget_table(rows, BAR),
            _details(
                [row.assessment for row in rows],
                pressing,
                lambda assessment, window: [
                    *details(
                        assessment, window=window, doubts=False, headroom=not blocked, notes=False
                    ),
                    *(("note", text) for text in not_looked_at(decided, assessment.slo.name)),
                ],
            ),
            *((Link(label="Dashboard", address=dashboard),) if dashboard else ()),
            Facts(tuple(summary.origin(decided)), small=True),
        ),
    )


def _status(status: Status) -> Page:
    return Page(
        sections=tuple(map(_budgets, status.policies)),
        closing=(
            summary.signature(status.evaluated_at, status.tool_version),
            *doctor_steps(
                (examined.source, replace(status, policies=(examined,)).exit_code)
                for examined in status.policies
            ),
        ),
    )


def _budgets(status: PolicyStatus) -> Section:
    service, burn_downs = status.policy.service, status.burn_downs
    rows = status_rows(status.policy, status.assessments)
    assessments = [row.assessment for row in rows]
    column: Column[BudgetRow] = BAR
    if burn_downs:
        from gate.reporters import drawing  # noqa: PLC0415 - a check draws none

        column = drawing.column(burn_downs)
    return Section(
        title=service,
        full_title=f"Error budgets of {service}",
        blocks=(
            budget_table(rows, column),
            _details(
                assessments,
                assessments,
                lambda assessment, window: details(assessment, window=window),
            ),
            summary.policy_text(status.policy, status.source, status.assessments),
        ),
    )


def _details(
    assessments: Sequence[Assessment],
    pressing: Sequence[Assessment],
    facts: Callable[[Assessment, bool], Iterable[Fact]],
) -> Folded:
    """Return the known facts about each SLO, the most pressing first.

    A fact that several windows share is written once, for all of them.
    """
    ordered = sorted(assessments, key=lambda assessment: assessment not in pressing)
    windows: dict[str, list[str]] = {}
    for assessment in ordered:
        windows.setdefault(window_text(assessment), []).append(assessment.slo.name)

    def sections() -> Iterator[Section]:
        for assessment in ordered:
            name, window = assessment.slo.name, window_text(assessment)
            alike = windows.pop(window, [])
            about = list(facts(assessment, False))
            if window and alike and (about or assessment.measured):
                also = f" (also of {', '.join(alike[1:])})" if alike[1:] else ""
                about.insert(0, ("window", f"{window}{also}"))
            if about:
                yield Section(
                    title=name, pressing=assessment in pressing, blocks=(Facts(tuple(about)),)
                )

    return Folded(summary=_SUMMARY, sections=tuple(sections()), note=_NOTE)
