import html
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.decision.decision import Context, Decision
from gate.measure import Cause
from gate.policy.changes import Recognition
from gate.policy.findings import Rule, Verdict
from gate.policy.requirements import (
    CheckedRequirement,
    Claim,
    RequirementResult,
    RequirementState,
)
from gate.reporters import render, render_page
from gate.reporters.ansi import Style
from gate.reporters.decision_page import status_output
from tests.reporters.builders import (
    EVERY_KIND,
    block_policy,
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
    result = RequirementResult(state=RequirementState.MET, reason=text)
    known = policy_of((lost,), service=text, owners=(text,), dashboard=f"https://{text}")
    made = decided(
        lost,
        findings=findings,
        tier=None,
        policy=known,
        source=source(path=text),
        requirements=(CheckedRequirement(Claim(name=text), result),),
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
        tables = re.findall(r"(?:^\|.*\n?)+", report, re.MULTILINE)
        assert [table.count("\n") + 1 for table in map(str.strip, tables)] in ([4, 3, 3], [3, 3])
        for table in tables:
            assert len({row.count("|") for row in table.splitlines()}) == 1
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


def test_no_query_is_in_it_and_a_note_says_where_they_are() -> None:
    made = EVERY_KIND["blocked"]
    report = render("markdown", made, STYLE)
    assert "increase(" not in html.unescape(report)
    assert "The query of each SLO is in the JSON format of this report." in report
    assert render("json", made, STYLE).count("sum(increase(errors") == 3


def test_a_row_has_the_colour_of_what_its_tier_says_and_a_bar() -> None:
    def row(kind: str, name: str) -> list[str]:
        lines = render("markdown", EVERY_KIND[kind], STYLE).splitlines()
        return next(line.split(" | ") for line in lines if f" | {name} | " in line)

    bad, good = row("blocked", "▶&nbsp;availability"), row("blocked", "ttft")
    assert (bad[0], *bad[2:5]) == (
        "| 🔴",
        "overspent&nbsp;by&nbsp;50.0%",
        "░" * 10,
        "✖&nbsp;exhausted",
    )
    assert (good[0], *good[2:5]) == ("| 🟢", "65.1%", "██████░░░░", "✔&nbsp;healthy")
    assert row("undecided", "▶&nbsp;answers")[0] == "| ⚪"


def test_several_services_are_one_table_and_their_details_are_folded() -> None:
    report = render("markdown", EVERY_KIND["several"], STYLE)
    open_, *folded = re.split(r"<details><summary>(?=⛔|❔|✅)", report)
    rows = [line for line in open_.splitlines() if line.startswith("| ") and "full-rollout" in line]
    assert [re.split(r" +\| +", row)[2] for row in rows] == [
        "✖&nbsp;BLOCK",
        "?&nbsp;UNDECIDED",
        "✔&nbsp;ALLOW",
    ]
    assert "overspent&nbsp;by&nbsp;50.0%" in rows[0]
    assert [each.split("</summary>")[0] for each in folded] == [
        "⛔ BLOCK: full-rollout of chat",
        "❔ UNDECIDED: full-rollout of rag (1 of 2 SLOs not measured: answers)",
        "✅ ALLOW: full-rollout of chat",
    ]


def test_it_links_to_the_run_which_a_terminal_shows_itself() -> None:
    address = "https://ci.acme.example/runs/17"
    made = replace(EVERY_KIND["blocked"], context=Context(system="github", url=address))
    assert f'Run: <a href="{address}">' in render("markdown", made, STYLE)
    assert address not in render("terminal", made, STYLE)


def test_the_next_command_can_be_copied() -> None:
    spaced = block_policy(source=source(path="my policies/$(chat).yaml"))
    report = render("markdown", decision(spaced), STYLE)
    found = re.search(r"\*\*Next:\*\* <code>(.*?)</code> shows what used the budget", report)
    assert found is not None
    assert html.unescape(found[1]) == "gate incidents 'my policies/$(chat).yaml'"


def test_the_details_are_folded() -> None:
    report = render("markdown", EVERY_KIND["blocked"], STYLE)
    # Without the blank line GitHub reads what is inside as HTML, not as Markdown.
    assert re.search(r"<details><summary>[^<]*</summary>\n\n\*\*availability\*\*", report)
    before, after = report.split("<details>")
    assert "burn rates" not in before
    assert "burn rates" in after
