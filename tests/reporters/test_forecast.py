"""The forecast, as a person sees it and as a program reads it."""

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from gate.analysis.forecast import Affordable, ForecastReport
from gate.analysis.forecast.words import output
from gate.measure import Cause, Unmeasured
from gate.reporters import PAGES, render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import AT, slo
from tests.analysis.remembered import CALENDAR, DAY, MID, MONTH, OUTAGE
from tests.reporters.forecasts import WIDE, terminal, told


def joined(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def head(report: ForecastReport) -> str:
    return terminal(report).splitlines()[0].split("  ")[0]


def test_a_rolling_budget_has_a_row_for_each_rate_and_a_column_for_each_better_tier() -> None:
    lines = terminal(told({"a": OUTAGE})).splitlines()

    assert lines[:3] == ["✔ LASTS  chat", "", "  Lasting at recent rates: a."]
    assert lines[4] == "  a: 16.6% left of 30d, tier caution"
    assert lines[5].split("  ")[1] == "If"
    assert lines[5].endswith("Runs out, UTC  Back in healthy, UTC")
    assert lines[7].split() == ["nothing", "more", "fails", "0.00", "no", "2026-11-22", "01:00"]
    assert lines[10].split() == [
        *("as", "in", "the", "last", "3d", "0.00", "no", "2026-11-22", "01:00")
    ]


def test_a_calendar_budget_shows_what_is_left_at_the_reset_and_how_often_that_comes_true() -> None:
    text = terminal(told({"a": [1, 0] * (45 * 24)}, CALENDAR, at=MID))

    assert "a: 75.0% left of calendar month (UTC), tier healthy" in text
    assert "Left at reset" in text
    assert "as in the last 6h 0.50 no 50.0%" in joined(text)
    assert (
        "between 38.3% and 50.0% is left if the future is like the last 90d (50.0% in the median);"
        " of 100 simulated months 90 ended within such an interval and 2 below it (76 within it in"
        " the worst case); the budget lasts in 87 of 100"
    ) in joined(text)


def test_of_a_budget_that_is_overspent_at_the_reset_nothing_is_left() -> None:
    text = joined(terminal(told({"a": [4, 2] * (45 * 24)}, CALENDAR, at=MID)))

    # Half of the month has consumed 1.5 budgets; the other half does so, too.
    assert "as in the last 6h 3.00 already exhausted overspent by 200.0%" in text


def test_the_head_says_what_matters_most() -> None:
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    calm, fast = [0] * MONTH, [*[0] * (MONTH - 1), 9]
    now_and_then = ([0] * 335 + [300]) * 6

    assert head(told({"a": calm})) == "✔ LASTS"
    assert head(told({"a": [*OUTAGE[:-1], 500]})) == "✖ EXHAUSTED"
    assert head(told({"a": fast, "b": calm})) == "▲ RUNNING OUT"
    earlier = [*[0] * (MONTH - 6), 300, *[0] * 5]
    assert head(told({"a": earlier})) == "▲ MAY RUN OUT"
    assert head(told({"a": calm}, lost={"a": down})) == "? 1 NOT KNOWN"
    assert head(told({"a": OUTAGE, "b": fast}, lost={"a": down})) == "▲ RUNNING OUT, 1 NOT KNOWN"
    assert head(told({"a": [*now_and_then, *[0] * 72]}, CALENDAR, at=MID)) == "▲ MAY RUN OUT"


def test_what_is_not_known_is_reported_and_a_division_stands_in_for_it() -> None:
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")

    text = joined(terminal(told({"a": [1] * MONTH}, lost={"a": down})))

    assert "Not measured backend error: it is down" in text
    assert "Linear projection already exhausted; failures that leave the window are ignored" in text
    assert "a: not known" in joined(terminal(told({"a": []})))


def test_a_budget_that_is_gone_does_not_run_out_again() -> None:
    text = terminal(told({"a": [2] * MONTH}))

    assert text.count("already exhausted") == 5


def test_where_there_is_nothing_more_to_say_the_table_stands_alone() -> None:
    report = told({"a": [0] * MONTH}, notes=())

    assert terminal(report).splitlines()[11].startswith("  as in the last 7d")
    assert terminal(report).splitlines()[12].split()[0] == "Affordable"
    assert terminal(report).splitlines()[13] == ""
    assert "seen" not in render_page("markdown", output(report), Style())


def test_doubts_gaps_and_notes_are_reported() -> None:
    text = joined(terminal(told({"a": [*[None] * 72, *[0] * (MONTH - 72)]})))

    assert "Unknown 10.0% of the history has no data" in text
    assert "Note seen" in text
    few = slo("a", more="min_events: 900000")
    assert "In doubt low traffic: 720,000 events are fewer" in joined(
        terminal(told({"a": [0] * MONTH}, few))
    )


def test_a_bound_that_is_compared_with_the_tiers_is_reported_beside_what_was_measured() -> None:
    text = joined(terminal(told({"a": OUTAGE}, slo("a", more="sampled: true"))))

    assert "Used for tiers 9.7% of its budget is left, at the worse end" in text
    assert "of its 95% interval (16.6% measured)" in text


def test_spend_and_composites_say_why_less_is_known() -> None:
    report = told(
        {"a": [0] * MONTH, "s": [1] * MONTH},
        slo("a", more="timeslices: {length: 1h, target: 99%}"),
        "  - {name: s, allowance: 1000, window: {calendar: month}, sli: {spent: s}}\n",
        "  - {name: c, composite: [{slo: a, weight: 1}]}\n",
        at=MID,
    )

    text = joined(terminal(report))

    assert "a: 100.0% left of 30d, tier healthy If" in text
    assert "as in the last 6h 0.72 no" in text
    assert "Limited data spend is projected at these rates only" in text
    assert "c: 100.0% left, tier healthy Limited data it is a composite" in text


def test_markdown_has_the_same() -> None:
    text = render_page("markdown", output(told({"a": OUTAGE, "b": [1, 0] * 360})), Style())

    assert text.startswith("## ✅ LASTS: chat")
    assert "| nothing more fails | 0.00 | no | 2026-11-22 01:00 |" in text
    calendar = told({"a": [1, 0] * (45 * 24)}, CALENDAR, at=MID)
    assert "- **At the reset:** between 38.3% and 50.0% is left" in render_page(
        "markdown", output(calendar), Style()
    )


def test_the_document_has_instants_shares_and_seconds() -> None:
    report = told({"a": OUTAGE})

    document = json.loads(render_page("json", output(report), Style()))
    (service,) = document["services"]
    (one,) = service["slos"]

    assert document["exit_code"] == 0
    assert one["tier"] == "caution"
    assert one["remaining"] == pytest.approx(1 / 6)
    assert one["projections"][0] == {
        "burn_rate_window_seconds": None,
        "burn_rate": 0,
        "exhausted_at": None,
        "reaches_tier_at": {"healthy": "2026-11-22T01:00:00Z"},
        "left_at_reset": None,
    }
    assert [projection["burn_rate_window_seconds"] for projection in one["projections"]] == [
        None,
        3600,
        21600,
        259200,
        604800,
    ]
    assert one["expected"] is None


def test_the_document_of_a_calendar_budget_has_its_interval() -> None:
    report = told({"a": [1, 0] * (45 * 24)}, CALENDAR, at=MID)

    (service,) = json.loads(render_page("json", output(report), Style()))["services"]

    assert service["slos"][0]["expected"] == {
        # Half of what comes in each week: in 1 of 7 futures one of two weeks is twice as bad.
        "low": pytest.approx(0.5 - 84 / 720),
        "median": pytest.approx(0.5),
        "high": pytest.approx(0.5),
        # 90 days are six times the 15 that are left.
        "lasting_share": pytest.approx(7 / 8),
        "history_seconds": (90 * DAY).total_seconds(),
        "simulated": {
            "within_share": 0.9,
            "worse_share": 0.02,
            "least_within_share": 0.76,
        },
    }
    assert service["slos"][0]["resets_at"] == "2026-12-01T00:00:00Z"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_a_backend_says_can_break_out(name: str) -> None:
    hostile = Unmeasured(cause=Cause.BACKEND_ERROR, reason="\x1b[2J<b>@acme|`x`")

    shown = render_page(name, output(told({"a": [0] * MONTH}, lost={"a": hostile})), WIDE)

    assert "\x1b" not in shown
    assert name != "markdown" or "<b>" not in shown


def test_recovery_is_reported_as_the_earliest_and_at_the_pace_of_the_last_week() -> None:
    calm = joined(terminal(told({"a": OUTAGE})))
    chronic = joined(terminal(told({"a": [2] * MONTH})))
    slower = joined(terminal(told({"a": [*[0] * 240, 500, *[0] * 239, *[1, 0, 0, 0] * 60]})))

    assert (
        "Back in healthy 2026-11-22 01:00 UTC at the earliest, if nothing more fails; at"
        " the rate of the last 7d: 2026-11-22 01:00 UTC" in calm
    )
    # 1,440 of 720 failed: half of these are left once three quarters of 30 days are over.
    assert (
        "Back in healthy 2026-11-23 13:00 UTC at the earliest, if nothing more fails; at"
        " the rate of the last 7d: never" in chronic
    )
    # 500 and 60 of 720: below half once the 500 have gone, with 60 more by then.
    assert "Back in healthy 2026-11-11 01:00 UTC at the earliest" in slower
    assert "at the rate of the last 7d: 2026-11-11 01:00 UTC" in slower


def test_a_sample_that_is_too_small_is_not_said_to_recover() -> None:
    # Of 720,000 answers none is bad: by a budget of one in a million, no more can be proved.
    few = slo("a", more="sampled: true").replace("99.9%", "99.9999%")
    text = joined(terminal(told({"a": OUTAGE}, few)))

    assert "Back in healthy not within one window, even if nothing more fails" in text


def affordable_facts(**fields: Any) -> str:
    known: dict[str, Any] = {
        "until": AT,
        "at_reset": False,
        "rate": Fraction(12345, 10),
        "back": {},
        "what": "failures",
    }
    report = told({"a": [0] * MONTH}, notes=())
    (service,) = report.services
    (one,) = service.slos
    changed = replace(one, affordable=Affordable(**(known | fields)))
    services = (replace(service, slos=(changed,)),)
    return joined(terminal(replace(report, services=services)))


@pytest.mark.variants(4)
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Affordable at most 1,234 failures an hour until"),
        ({"rate": Fraction(9999, 1000)}, "at most 9.99 failures an hour until"),
        ({"rate": Fraction(0)}, "at most 0 failures an hour until"),
        ({"at_reset": True}, "UTC (the reset) to end within budget"),
        ({"rate": None}, "Affordable no more failures until 2026-"),
        ({"rate": None}, "UTC, and even then it ends overspent"),
        ({"back": {"healthy": Fraction(1, 3)}}, "within budget, 0.33 to end in healthy"),
        ({"back": {"healthy": None}}, "within budget; healthy cannot be reached by then"),
    ],
)
def test_how_much_may_still_fail_is_reported_rounded_down(
    fields: dict[str, Any], said: str
) -> None:
    assert said in affordable_facts(**fields)
