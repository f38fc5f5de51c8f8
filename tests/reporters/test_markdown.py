import html
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.decision.decision import Decision
from gate.measure import Cause
from gate.policy.changes import Recognition
from gate.policy.findings import Rule, Verdict
from gate.reporters import render, render_page
from gate.reporters.ansi import Style
from gate.reporters.decision_page import status_output
from tests.reporters.builders import (
    EVERY_KIND,
    decided,
    decision,
    finding,
    policy_of,
    source,
    status,
    talking,
    unmeasured,
)

STYLE = Style()
OWN_TAGS = re.compile(r'</?(?:details|summary|sub|code|pre)>|<a href="https?://[^"<>]*">|</a>')
HOSTILE = st.text() | st.text(alphabet="@#!~%$&|<>`\\*_[](){}:/.-\n\r\t \x1b\u202eaw1\"'")


def hostile(text: str) -> Decision:
    """Put the same text into everything that comes from outside."""
    lost = unmeasured(Cause.INVALID, text)
    lost = replace(lost, slo=replace(lost.slo, name=text), query=text)
    findings = (finding(Rule.MEASUREMENT, Verdict.UNDECIDED, text, text),)
    known = policy_of((lost,), service=text, owners=(text,), dashboard=f"https://{text}")
    made = decided(
        lost,
        findings=findings,
        tier=None,
        policy=known,
        source=source(path=text),
        obligations=(text,),
        satisfied={text: text},
        allowed_now=(text,),
        recognition=Recognition(change=text, how="labels", evidence=(text,), notes=(text,)),
    )
    return decision(made, made, **talking(text))


@given(HOSTILE)
def test_hostile_text_breaks_no_table_and_yields_no_tag_and_no_mention(text: str) -> None:
    made = hostile(text)
    for report in (
        render("markdown", made, STYLE),
        render_page("markdown", status_output(status(*made.policies)), STYLE),
    ):
        rows = [line for line in report.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) == 1
        assert len(rows) == 2 * 3  # a head, a rule and a row of each policy
        foreign = OWN_TAGS.sub("", report)
        assert "<" not in foreign
        assert not re.search(r"@\w|`", foreign)
        rendered = html.unescape(re.sub(r"<(code|pre|a)\b.*?</\1>", "", report, flags=re.DOTALL))
        assert not re.search(r"[@#]\w", rendered)


@given(HOSTILE)
def test_hostile_text_adds_no_heading_no_item_and_no_line(text: str) -> None:
    def shape(report: str) -> list[str]:
        outside = re.sub(r"<pre>.*?</pre>", "", report, flags=re.DOTALL)
        return [line[:2] for line in outside.splitlines()]

    expected = shape(render("markdown", hostile("a"), STYLE))
    assert shape(render("markdown", hostile(text or "a"), STYLE)) == expected


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_tag_that_is_opened_is_closed(kind: str) -> None:
    report = render("markdown", EVERY_KIND[kind], STYLE)
    for tag in ("details", "summary", "sub", "code", "pre", "a"):
        assert len(re.findall(rf"<{tag}\b", report)) == report.count(f"</{tag}>")


def test_the_query_can_be_copied_as_it_was_sent() -> None:
    report = render("markdown", EVERY_KIND["blocked"], STYLE)
    queries = [
        html.unescape(found) for found in re.findall(r"<pre><code>(.*)</code></pre>", report)
    ]
    assert queries == ['sum(increase(errors{code!~"5.."}[30d]))'] * 3


def test_the_details_are_folded() -> None:
    report = render("markdown", EVERY_KIND["blocked"], STYLE)
    # Without the blank line GitHub reads what is inside as HTML, not as Markdown.
    assert re.search(r"<details><summary>[^<]*</summary>\n\n\*\*availability\*\*", report)
    before, after = report.split("<details>")
    assert "burn rates" not in before
    assert "burn rates" in after
