"""The outcome of a policy's cases in sentences, and their page."""

from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Final

from gate import __version__
from gate.analysis.cases import CaseResult, CasesReport, PolicyCases, report_document
from gate.policy.findings import Verdict
from gate.reporters import PAGES, render_page
from gate.reporters.ansi import Style
from gate.reporters.page import Badge, Fact, Facts, Mark, Marks, Output, Page, Section

FORMATS: Final[Mapping[str, str]] = {**PAGES, "junit": "gate.analysis.cases.junit"}
"""The formats of every command, and the one that CI systems show as tests."""


def render_cases(name: str, report: CasesReport, style: Style) -> str:
    """Return the outcome of all cases in one of its formats, ended by a line break."""
    if name in PAGES:
        output = Output(page=partial(page, report), document=partial(report_document, report))
        return render_page(name, output, style)
    text: str = import_module(FORMATS[name]).render(report)
    return text


def page(report: CasesReport) -> Page:
    """Return the page on every policy: a line for each case, and the reasons for failures."""
    return Page(
        sections=tuple(map(_section, report.policies)),
        closing=(Facts((("Judged by", f"gate {__version__}"),), small=True),),
    )


def _section(tests: PolicyCases) -> Section:
    return Section(
        title=tests.policy.service,
        badge=_badge(tests),
        blocks=(
            Marks(tuple(map(_mark, tests.results))),
            Facts((("Policy", tests.source.path), ("Cases", tests.path)), small=True),
        ),
    )


def _badge(tests: PolicyCases) -> Badge:
    if tests.failed:
        return Badge(Verdict.BLOCK, f"{tests.failed} OF {len(tests.results)} FAILED")
    return Badge(Verdict.ALLOW, f"{len(tests.results)} PASSED")


def _mark(result: CaseResult) -> Mark:
    """Return the line of a case, and its differences from the expectation."""
    return Mark(
        verdict=Verdict.ALLOW if result.passed else Verdict.BLOCK,
        label="passed" if result.passed else "failed",
        text=result.case.name,
        marks=tuple(
            Mark(
                verdict=Verdict.BLOCK,
                label=mismatch.what,
                text=f"expected {mismatch.expected}, but it is {mismatch.actual}",
                facts=facts,
            )
            for mismatch, facts in zip(result.mismatches, _reasons(result), strict=True)
        ),
    )


def _reasons(result: CaseResult) -> Iterator[tuple[Fact, ...]]:
    """Yield the lines below each difference; below the last one, the reasons of the outcome."""
    facts = (("Comes to", outcome(result)), *(("Why", reason) for reason in reasons(result)))
    for place in range(len(result.mismatches), 0, -1):
        yield facts if place == 1 else ()


def outcome(result: CaseResult) -> str:
    """Write the decision of the policy on a case."""
    decided = result.decided
    tier = decided.judgement.tier
    band = "" if tier is None else f", tier {tier.name}"
    return f"{decided.verdict} of {decided.change_class}{band}"


def reasons(result: CaseResult) -> Iterator[str]:
    """Yield the results of the rules, those that fire first; if none fires, all results."""
    for finding in result.firing or result.decided.judgement.findings:
        about = f"{finding.rule}, {finding.slo}" if finding.slo else str(finding.rule)
        yield f"{about}: {finding.reason}"
