"""A review for a terminal: for each SLO its periods, and what other objectives would have meant."""

from collections.abc import Iterator

from gate.analysis.review import words
from gate.analysis.review.result import ReviewReport, ServiceReview, SloReview
from gate.reporters import ink
from gate.reporters.escape import plain
from gate.reporters.layout import GAP
from gate.reporters.listing import listing
from gate.reporters.prose import facts, finish
from gate.reporters.style import Style


def render_review(report: ReviewReport, style: Style) -> str:
    """Return the report on the review."""
    lines: list[str] = []
    for service in report.services:
        lines += [*_service(service, style), ""]
    lines += facts(list(words.closing(report)), style)
    return finish(lines, style)


def _service(service: ServiceReview, style: Style) -> Iterator[str]:
    verdict, word = words.verdict(service)
    name = ink.ink(plain(service.policy.service), ink.BOLD, style)
    yield f"{ink.badge(verdict, word, style)}{GAP}{name}"
    for one in service.slos:
        yield ""
        yield from _slo(one, style)
    yield ""
    yield from facts(words.around(service), style)


def _slo(one: SloReview, style: Style) -> Iterator[str]:
    name = ink.ink(plain(one.slo.name), ink.BOLD, style)
    yield f"{GAP}{name}: {plain(words.heading(one))}"
    found = one.review
    if found is not None:
        yield from listing(found.periods, words.period_columns(one.slo), style)
        if found.counted:
            yield ""
            yield from listing(found.replayed, words.candidate_columns(found), style)
        yield ""
    yield from facts(list(words.about(one)), style)
