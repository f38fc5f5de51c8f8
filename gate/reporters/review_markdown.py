"""A review for an issue, a wiki or a comment."""

from collections.abc import Iterator

from gate.analysis.review import words
from gate.analysis.review.result import ReviewReport, ServiceReview, SloReview
from gate.reporters import markup
from gate.reporters.escape import markdown
from gate.reporters.style import Style


def render_review(report: ReviewReport, _style: Style) -> str:
    """Return the report on the review."""
    blocks = [block for service in report.services for block in _service(service)]
    blocks.append(markup.small(words.closing(report)))
    return markup.document(blocks)


def _service(service: ServiceReview) -> Iterator[str]:
    verdict, word = words.verdict(service)
    yield f"## {markup.SIGNS[verdict]} {word}: {markdown(service.policy.service)}"
    for one in service.slos:
        yield from _slo(one)
    yield markup.facts(words.around(service))


def _slo(one: SloReview) -> Iterator[str]:
    yield f"**{markdown(one.slo.name)}**: {markdown(words.heading(one))}"
    found = one.review
    if found is not None:
        yield markup.table(found.periods, words.period_columns(one.slo))
        if found.counted:
            yield markup.table(found.replayed, words.candidate_columns(found))
    yield markup.facts(words.about(one))
