"""A review, as a person sees it and as a program reads it."""

import json

import pytest

from gate.analysis.review import ReviewReport
from gate.analysis.review.words import output
from gate.measure import Cause, Unmeasured
from gate.reporters import PAGES, render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import slo
from tests.analysis.remembered import MONTH, OUTAGES
from tests.reporters.reports import MONEY
from tests.reporters.reviews import SLA, WIDE, terminal, told

QUIET = [*[0] * (3 * MONTH - 10), 100, *[0] * 9]
"""In the newest of three windows 100 of 720 that may fail."""
FAIR = [*[0] * (3 * MONTH - 10), 500, *[0] * 9]


def joined(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def head(report: ReviewReport) -> str:
    return terminal(report).splitlines()[0].split("  ")[0]


def test_periods_are_rows_with_what_was_consumed_and_the_margin_of_the_sla() -> None:
    lines = terminal(told({"a": OUTAGES}, slo("a", more=SLA))).splitlines()

    assert lines[0] == "▲ 1 TOO STRICT  chat"
    assert lines[2] == "  a: 99.9 % over 30d: too strict"
    assert [" ".join(line.split()) for line in lines[3:8] if "─" not in line] == [
        "From, UTC To, UTC Bad of total Consumed Left of SLA Spare events Counted",
        "2026-08-03 00:00 2026-09-02 00:00 0 of 720,000 0.0 % 100.0 % 1,440 yes",
        "2026-09-02 00:00 2026-10-02 00:00 900 of 720,000 125.0 % 37.5 % 540 yes",
        "2026-10-02 00:00 2026-11-01 00:00 0 of 720,000 0.0 % 100.0 % 1,440 yes",
    ]


@pytest.mark.untraced
def test_objectives_are_rows_with_how_often_they_were_met_and_time_in_each_tier() -> None:
    text = joined(terminal(told({"a": FAIR})))

    assert "Objective Met Nothing left healthy caution exhausted" in text
    # In 10 of 1,441 hours 500 are in the window: of 720 that may fail, 360 or 1,440.
    assert "99.95 % stricter 2 of 3 0.7 % 99.3 % 0.0 % 0.7 %" in text
    assert "99.93 % met in 95 % 3 of 3 0.0 % 99.3 % 0.0 % 0.7 %" in text
    assert "99.9 % present 3 of 3 0.0 % 99.3 % 0.7 % 0.0 %" in text
    assert "caution lets ship only bug-fix, canary, rollback" in text


def test_what_the_periods_come_to_is_said_in_words() -> None:
    strict = joined(terminal(told({"a": OUTAGES}, slo("a", more=SLA))))
    loose = joined(terminal(told({"a": QUIET})))
    fair = joined(terminal(told({"a": FAIR})))

    assert (
        "Means missed in 1 of 3 periods, at most 125.0 % of the budget used; promise less, or make"
        " the service better" in strict
    )
    assert "at most 13.9 % of the budget used; promise more, or use the budget" in loose
    assert "at most 69.5 % of the budget used In 95 %" in fair
    assert (
        "99.87 % was met in each of 3 periods (95 % of so few are all); 99.87 % in 95 % of 61"
        " windows moved through the time, which overlap and so tell less" in strict
    )


def test_the_nearest_miss_of_the_sla_is_told() -> None:
    kept = joined(terminal(told({"a": OUTAGES}, slo("a", more=SLA))))
    missed = joined(terminal(told({"a": OUTAGES}, slo("a", more="sla: 99.88%"))))

    assert (
        "SLA 99.8 % was never missed; the nearest to it began 2026-09-02 00:00 UTC: 37.5 % of its"
        " budget left, 540 more could have failed" in kept
    )
    assert (
        "SLA 99.88 % was missed in 1 of 3 periods; the worst began 2026-09-02 00:00 UTC: -4.2 % of"
        " its budget left, 36 bad events too many" in missed
    )


def test_where_nothing_failed_every_objective_was_met() -> None:
    text = joined(terminal(told({"a": [0] * 3 * MONTH})))

    assert "In 95 % nothing failed in 3 periods: any objective was met" in text


@pytest.mark.untraced
def test_of_twenty_periods_one_may_be_missed() -> None:
    # 1 of 720,000 in nineteen of twenty windows, 500 in the oldest.
    bad = [500, *[0] * (MONTH - 1), *[1, *[0] * (MONTH - 1)] * 19]

    text = joined(terminal(told({"a": bad}, periods=20)))

    assert "99.99986 % was met in 95 % of 20 periods; " in text


def test_where_nothing_failed_in_most_moved_windows_they_are_not_told() -> None:
    # Only a window that begins with the history has its first hour.
    text = joined(terminal(told({"a": [9, *[0] * (3 * MONTH - 1)]})))

    assert "was met in each of 3 periods (95 % of so few are all) Tiers" in text


def test_the_head_counts_how_each_fits() -> None:
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    several = told({"a": OUTAGES, "b": QUIET, "c": FAIR, "d": FAIR}, lost={"d": down})

    assert head(several) == "? 1 NOT MEASURED, 1 TOO STRICT, 1 TOO LOOSE, 1 ABOUT RIGHT"
    assert head(told({"a": FAIR})) == "✔ 1 ABOUT RIGHT"
    assert head(told({"a": FAIR}, periods=2)) == "? 1 TOO FEW PERIODS TO TELL"
    assert head(told({"a": FAIR}, lost={"a": down})) == "? 1 NOT MEASURED"
    assert head(told({}, MONEY)) == "? NOTHING TO REVIEW"


def test_what_is_not_known_is_said() -> None:
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    short = told({"a": [0] * 1000}, notes=("seen",))

    text = joined(terminal(short))
    assert "no: no data (0 % has data)" in text
    assert "2026-09-02 00:00 - - no" in text
    assert "no: mostly uncovered (38 % has data)" in text
    assert "History begins about 2026-09-20 08:00 UTC; none is kept from before" in text
    assert "Unknown 75.6 % of the time it is not known what was left" in text
    assert "Note seen" in text
    assert "Not measured backend error: it is down" in joined(
        terminal(told({"a": []}, lost={"a": down}))
    )
    nothing = joined(terminal(told({"a": [0] * 5}, slo("a", more=SLA))))
    assert "of none of the last 3 enough is known" in nothing
    assert "Objective" not in nothing
    assert "- - no: no data" in nothing


def test_a_single_period_is_one_and_has_no_others_moved_beside_it() -> None:
    text = joined(terminal(told({"a": FAIR}, periods=1)))

    assert "missed in 0 of 1 period, at most" in text
    assert "was met in each of 1 period (95 % of so few are all) Tiers" in text


def test_of_a_sample_it_is_said_that_its_interval_is_not_counted() -> None:
    text = joined(terminal(told({"a": FAIR}, slo("a", more="sampled: true"))))

    assert "Sampled how sure one can be" in text


def test_markdown_has_the_same() -> None:
    text = render_page("markdown", output(told({"a": OUTAGES}, slo("a", more=SLA))), Style())

    assert text.startswith("## ⚠️ 1 TOO STRICT: chat")
    assert "| 2026-09-02 00:00 | 2026-10-02 00:00 | 900&nbsp;of&nbsp;720,000 | 125.0&nbsp;%" in text
    assert "| 99.9&nbsp;% | present | 2&nbsp;of&nbsp;3 |" in text
    assert "- **SLA:** 99.8 % was never missed" in text
    lost = render_page("markdown", output(told({"a": [0] * 5})), Style())
    assert "Objective" not in lost
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    assert "it is down" in render_page(
        "markdown", output(told({"a": []}, lost={"a": down})), Style()
    )


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_a_backend_says_can_break_out(name: str) -> None:
    hostile = Unmeasured(cause=Cause.BACKEND_ERROR, reason="\x1b[2J<b>@acme|`x`")

    shown = render_page(name, output(told({"a": FAIR}, lost={"a": hostile})), WIDE)

    assert "\x1b" not in shown
    assert name != "markdown" or "<b>" not in shown


def test_the_document_has_counts_and_shares() -> None:
    report = told({"a": OUTAGES}, slo("a", more=SLA))

    document = json.loads(render_page("json", output(report), Style()))
    (one,) = document["services"][0]["slos"]

    assert (document["exit_code"], document["periods_requested"]) == (0, 3)
    assert one["review"]["periods"][1] == {
        "start": "2026-09-02T00:00:00Z",
        "end": "2026-10-02T00:00:00Z",
        "total": 720_000,
        "bad": 900,
        "coverage": 1.0,
        "not_counted": None,
        "consumed": 1.25,
        "sla_consumed": 0.625,
        "sla_spare_events": 540,
    }
    assert one["review"]["met_in_95_percent"] == 0.9987
    assert [row["kind"] for row in one["review"]["candidates"]] == [
        *["stricter", "present", "met in 95 %", "SLA"]  # which is a step laxer, too
    ]
    without = json.loads(render_page("json", output(told({"a": OUTAGES})), Style()))
    assert without["services"][0]["slos"][0]["review"]["periods"][0]["sla_consumed"] is None
