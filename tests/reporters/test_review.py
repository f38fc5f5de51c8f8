"""A review, as a person sees it and as a program reads it."""

import json
from dataclasses import replace

import pytest

from gate.analysis.review import ReviewReport
from gate.analysis.review.words import output
from gate.measure import Cause, Unmeasured
from gate.reporters import PAGES, render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import slo
from tests.analysis.remembered import MONTH, OUTAGES
from tests.reporters.reviews import SLA, WIDE, terminal, told

QUIET = [*[0] * (3 * MONTH - 10), 100, *[0] * 9]
"""In the newest of three windows 100 of 720 that may fail."""
FAIR = [*[0] * (3 * MONTH - 10), 500, *[0] * 9]
EACH = [*[0] * 300, *([900, *[0] * (MONTH - 1)] * 2), 900, *[0] * (MONTH - 301)]
"""In each of three windows 900 of 720 failed."""
ACROSS = [*[0] * 700, 400, *[0] * 100, 400, *[0] * (3 * MONTH - 802)]
"""In the first and in the second of three windows 400 failed, a hundred hours apart."""


def joined(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def head(report: ReviewReport) -> str:
    return terminal(report).splitlines()[0].split("  ")[0]


def test_periods_are_rows_with_what_was_consumed_and_the_margin_of_the_sla() -> None:
    lines = terminal(told({"a": OUTAGES}, slo("a", more=SLA))).splitlines()

    assert lines[0] == "? 1 SLO: NOT ENOUGH PERIODS  chat"
    assert lines[2] == "  a: 99.9% over 30d: not enough periods"
    assert [" ".join(line.split()) for line in lines[3:8] if "─" not in line] == [
        "From, UTC To, UTC Bad of total Budget used Left of SLA Spare events Counted",
        "2026-08-03 00:00 2026-09-02 00:00 0 of 720,000 0.0% 100.0% 1,440 yes",
        "2026-09-02 00:00 2026-10-02 00:00 900 of 720,000 125.0% 37.5% 540 yes",
        "2026-10-02 00:00 2026-11-01 00:00 0 of 720,000 0.0% 100.0% 1,440 yes",
    ]


def test_objectives_are_rows_with_how_often_they_were_met_and_time_in_each_tier() -> None:
    text = joined(terminal(told({"a": FAIR})))

    assert "Objective Origin Met Exhausted healthy caution exhausted" in text
    # In 10 of 1,441 hours 500 are in the window: of 720 that may fail, 360 or 1,440.
    assert "99.95% stricter 2 of 3 0.7% 99.3% 0.0% 0.7%" in text
    assert "99.93% met in most 3 of 3 0.0% 99.3% 0.0% 0.7%" in text
    assert "99.9% present 3 of 3 0.0% 99.3% 0.7% 0.0%" in text
    assert "caution allows only bug-fix, canary, rollback" in text


def test_what_the_periods_come_to_is_reported_in_words() -> None:
    strict = joined(terminal(told({"a": EACH})))
    perhaps = joined(terminal(told({"a": OUTAGES}, slo("a", more=SLA))))
    loose = joined(terminal(told({"a": QUIET})))
    fair = joined(terminal(told({"a": FAIR})))

    assert (
        "Result missed in 3 of 3 periods, at most 125.0% of the budget used; lower the objective,"
        " or improve the service" in strict
    )
    assert (
        "Result missed in 1 of 3 periods, at most 125.0% of the budget used; look at more periods"
        in perhaps
    )
    assert "at most 13.9% of the budget used; raise the objective, or use the budget" in loose
    assert "at most 69.5% of the budget used Sliding missed in none of 1,441 windows" in fair
    assert (
        "Candidate 99.87% was met in 3 of 3 periods; expect about 3 of 4 future ones to meet it"
        in perhaps
    )


def test_windows_moved_through_the_periods_tell_what_these_hide() -> None:
    text = joined(terminal(told({"a": ACROSS}, slo("a", more="sla: 99.89%"))))

    assert "missed in none of 3 periods, at most 55.6% of the budget used" in text
    # 800 of 720 that may fail, in the windows that end within 720 - 101 hours of the second.
    assert f"missed in {-(-1000 * 619 // 1441) / 10}% of 1,441 windows 1h apart" in text
    assert "the worst, to 2026-09-05 10:00 UTC, used 111.2% of the budget" in text
    # 800 of the 792 that the agreement lets fail.
    assert "SLA 99.89% was missed in none of 3 periods; the closest period began" in text
    assert (
        "43.0% of the windows 1h apart missed it; in the worst, to 2026-09-05 10:00 UTC,"
        " its budget is overspent by 1.1%" in text
    )


def test_the_nearest_miss_of_the_sla_is_reported() -> None:
    kept = joined(terminal(told({"a": OUTAGES}, slo("a", more=SLA))))
    missed = joined(terminal(told({"a": OUTAGES}, slo("a", more="sla: 99.88%"))))

    assert (
        "SLA 99.8% was never missed; the closest period began 2026-09-02 00:00 UTC: 37.5% of its"
        " budget is left, 540 more could have failed" in kept
    )
    assert (
        "SLA 99.88% was missed in 1 of 3 periods; the worst began 2026-09-02 00:00 UTC: its"
        " budget is overspent by 4.2%, 36 bad events too many;" in missed
    )


def test_of_an_overspent_budget_of_the_sla_nothing_is_left() -> None:
    text = joined(terminal(told({"a": OUTAGES}, slo("a", more="sla: 99.88%"))))

    # The SLA allows 864 of 720,000, and 900 were bad: 36 more, which is 4.1667% of 864.
    assert "900 of 720,000 125.0% overspent by 4.2% -36 yes" in text


def test_where_nothing_failed_every_objective_was_met() -> None:
    text = joined(terminal(told({"a": [0] * 3 * MONTH})))

    assert "Candidate nothing failed in 3 periods, so any objective was met" in text


@pytest.mark.slow
def test_of_twenty_periods_one_may_be_missed() -> None:
    # 1 of 720,000 in nineteen of twenty windows, 500 in the oldest.
    bad = [500, *[0] * (MONTH - 1), *[1, *[0] * (MONTH - 1)] * 19]

    text = joined(terminal(told({"a": bad}, periods=20)))

    assert (
        "99.99986% was met in 19 of 20 periods; expect about 18 of 20 future ones to meet it"
        in text
    )


def test_windows_of_which_too_little_is_known_say_nothing() -> None:
    # Nine of ten hours of the newest period are silent as every day, so it is known.
    silent = [1 if hour % 24 == 12 else None for hour in range(3 * MONTH)]
    text = joined(terminal(told({"a": silent})))

    assert "Sliding no sliding window has enough data" in text


def test_the_head_counts_how_each_fits() -> None:
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    several = told({"a": EACH, "b": QUIET, "c": FAIR, "d": FAIR}, lost={"d": down})

    assert head(several) == (
        "? 1 SLO: NOT MEASURED, 1 SLO: TOO STRICT, 1 SLO: TOO LOOSE, 1 SLO: ABOUT RIGHT"
    )
    assert head(told({"a": FAIR})) == "✔ 1 SLO: ABOUT RIGHT"
    assert head(told({"a": FAIR}, periods=2)) == "? 1 SLO: NOT ENOUGH PERIODS"
    assert head(told({"a": FAIR}, lost={"a": down})) == "? 1 SLO: NOT MEASURED"


def test_without_an_objective_or_an_allowance_there_is_nothing_to_review() -> None:
    report = told({"a": FAIR})
    (service,) = report.services
    bare = replace(report, services=(replace(service, slos=()),))

    assert head(bare) == "? NOTHING TO REVIEW"


def test_what_is_not_known_is_said() -> None:
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    short = told({"a": [0] * 1000}, notes=("seen",))

    text = joined(terminal(short))
    assert "no: no data (0% has data)" in text
    assert "2026-09-02 00:00 - - no" in text
    assert "no: mostly uncovered (38% has data)" in text
    assert "History begins about 2026-09-20 08:00 UTC; nothing is kept from before" in text
    assert "Unknown for 75.6% of the time the remaining budget is unknown" in text
    assert "Note seen" in text
    assert "Not measured backend error: it is down" in joined(
        terminal(told({"a": []}, lost={"a": down}))
    )
    nothing = joined(terminal(told({"a": [0] * 5}, slo("a", more=SLA))))
    assert "of none of the last 3 enough is known" in nothing
    assert "Objective" not in nothing
    assert "- - no: no data" in nothing


def test_a_single_period_is_one() -> None:
    text = joined(terminal(told({"a": FAIR}, periods=1)))

    assert "not missed in the only period, at most" in text
    assert "was met in the only period; expect about 1 of 2 future ones to meet it Tiers" in text


def test_of_a_sample_it_is_reported_that_its_interval_is_not_counted() -> None:
    text = joined(terminal(told({"a": FAIR}, slo("a", more="sampled: true"))))

    assert "Sampled the uncertainty of a sample" in text


def test_markdown_has_the_same() -> None:
    text = render_page("markdown", output(told({"a": OUTAGES}, slo("a", more=SLA))), Style())

    assert text.startswith("## ❔ 1 SLO: NOT ENOUGH PERIODS: chat")
    assert "| 2026-09-02 00:00 | 2026-10-02 00:00 | 900&nbsp;of&nbsp;720,000 | 125.0%" in text
    assert "| 99.9% | present | 2&nbsp;of&nbsp;3 |" in text
    assert "- **SLA:** 99.8% was never missed" in text
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
    assert one["review"]["met_in_most"] == {
        "objective": 0.9987,
        "periods_met": 3,
        "periods": 3,
        "expected_share": 0.75,
    }
    assert one["review"]["moved_windows"] == {
        "windows": 1441,
        "step_seconds": 3600,
        "missed_share": pytest.approx(419 / 1441),
        "sla_missed_share": 0,
        "worst_consumed": pytest.approx(1.25),
        "worst_end": "2026-09-22T02:00:00Z",
    }
    assert [row["kind"] for row in one["review"]["candidates"]] == [
        *["stricter", "present", "met in most", "SLA"]  # which is a step laxer, too
    ]
    without = json.loads(render_page("json", output(told({"a": OUTAGES})), Style()))
    assert without["services"][0]["slos"][0]["review"]["periods"][0]["sla_consumed"] is None


def test_where_nothing_failed_the_document_has_no_objective_that_most_periods_met() -> None:
    document = json.loads(render_page("json", output(told({"a": [0] * 3 * MONTH})), Style()))

    assert document["services"][0]["slos"][0]["review"]["met_in_most"] is None
