"""The spending of an allowance, as a person sees it and as a program reads it."""

import json

import pytest

from gate.analysis.review.words import output
from gate.measure import Cause, Unmeasured
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import slo
from tests.analysis.remembered import MONTH
from tests.reporters.reviews import terminal, told

SPEND = "  - {name: spend, allowance: 1.2 kUSD, window: 30d, sli: {spent: m}}\n"
WHOLE = [*[1.25] * MONTH, *[1.5] * MONTH, *[1.6675] * MONTH]
"""900, 1,080 and 1,200.6 of 1,200, in dollars; in thousands of dollars a thousandth."""
HOURS = [amount / 1000 for amount in WHOLE]
PARTLY = [*HOURS[:MONTH], *[None] * 400, *HOURS[MONTH + 400 : 2 * MONTH], *[None] * MONTH]


def joined(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def test_periods_are_rows_with_the_amount_and_the_difference() -> None:
    lines = terminal(told({"m": HOURS}, SPEND)).splitlines()

    assert lines[0] == "▲ 1 SLO: ALLOWANCE MISSED  chat"
    assert lines[2] == "  spend: 1.2 kUSD over 30d: allowance missed"
    assert [joined(line) for line in lines[3:8] if "─" not in line] == [
        "From, UTC To, UTC Spent Allowance used Difference Result",
        "2026-08-03 00:00 2026-09-02 00:00 0.9 kUSD 75.0% 0.3 kUSD left met",
        "2026-09-02 00:00 2026-10-02 00:00 1.08 kUSD 90.0% 0.12 kUSD left met",
        "2026-10-02 00:00 2026-11-01 00:00 1.2006 kUSD 100.1% 0.0006 kUSD too much missed",
    ]


def test_what_the_periods_come_to_is_reported_in_words() -> None:
    missed = joined(terminal(told({"m": HOURS}, SPEND)))
    met = joined(terminal(told({"m": HOURS[: 2 * MONTH]}, SPEND, periods=2, notes=("seen",))))
    only = joined(terminal(told({"m": HOURS[:MONTH]}, SPEND, periods=1)))

    assert (
        "Result the allowance was missed in 1 of 3 periods; most was spent in the period from"
        " 2026-10-02 00:00 UTC: 1.2006 kUSD, 0.0006 kUSD too much" in missed
    )
    # The windows that end in the last three hours have 1,200.1 or more: 1,080 + 0.1675 an hour.
    assert "Sliding missed in 0.3% of 1,441 windows 1h apart" in missed
    assert "the worst, to 2026-11-01 00:00 UTC, spent 1.2006 kUSD" in missed
    assert "the allowance was met in 2 of 2 periods" in met
    assert "Sliding missed in none of 721 windows" in met
    assert "Note seen" in met
    assert "Open" not in met
    assert "the allowance was met in the only period" in only


def test_where_nothing_is_settled_there_is_no_result() -> None:
    text = joined(terminal(told({"m": [*[None] * (3 * MONTH - 100), *HOURS[:100]]}, SPEND)))

    assert "of none of the last 3 enough is known to count it" in text
    assert "Result" not in text.partition("Not measured")[2]


def test_what_is_partly_known_is_a_bound() -> None:
    text = joined(terminal(told({"m": PARTLY}, SPEND)))

    assert "? 1 SLO: PERIODS OPEN chat" in text
    assert "at least 0.48 kUSD 40.0% at most 0.72 kUSD left open: mostly uncovered (44% has" in text
    assert "- - - open: no data (0% has data)" in text
    assert "the allowance was met in 1 of 1 periods" not in text
    assert "Open too little is known of 2 of 3 periods" in text


def test_a_known_part_that_is_too_much_is_a_miss() -> None:
    text = joined(terminal(told({"m": [*[None] * 400, *[0.005] * 320]}, SPEND, periods=1)))

    assert "at least 1.6 kUSD 133.4% at least 0.4 kUSD too much missed: mostly uncovered" in text
    assert "Sliding no sliding window has enough data" in text
    assert "History begins about 2026-10-18 16:00 UTC; nothing is kept from before" in text


def test_spend_is_counted_beside_the_objectives() -> None:
    down = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    both = terminal(told({"a": [0] * 3 * MONTH, "m": HOURS}, slo("a"), SPEND))
    lost = terminal(told({"m": HOURS}, SPEND, lost={"m": down}))

    assert both.startswith("▲ 1 SLO: TOO LOOSE, 1 SLO: ALLOWANCE MISSED")
    assert lost.startswith("? 1 SLO: NOT MEASURED")
    assert "Not measured backend error: it is down" in joined(lost)
    assert terminal(told({"m": HOURS[:MONTH]}, SPEND, periods=1)).startswith(
        "✔ 1 SLO: ALLOWANCE MET"
    )


def test_markdown_has_the_same() -> None:
    text = render_page("markdown", output(told({"m": HOURS}, SPEND)), Style())

    row = "1.2006&nbsp;kUSD | 100.1% | 0.0006&nbsp;kUSD&nbsp;too&nbsp;much | missed |"
    assert f"| 2026-10-02 00:00 | 2026-11-01 00:00 | {row}" in text


def test_the_document_has_amounts_and_shares() -> None:
    document = json.loads(render_page("json", output(told({"m": HOURS}, SPEND)), Style()))
    (spend,) = document["services"][0]["spending"]

    review = spend.pop("review")
    assert spend == {
        "name": "spend",
        "allowance": 1.2,
        "unit": "kUSD",
        "window": "30d",
        "unmeasured": None,
    }
    assert (review["result"], review["history_begins"]) == ("allowance missed", None)
    assert [review[f"periods_{key}"] for key in ("met", "missed", "open")] == [2, 1, 0]
    assert review["periods"][2] == {
        "start": "2026-10-02T00:00:00Z",
        "end": "2026-11-01T00:00:00Z",
        "spent": 1.2006,
        "left": -0.0006,
        "consumed": 1.0005,
        "coverage": 1.0,
        "partly_known": None,
        "met": False,
    }
    assert review["moved_windows"] == {
        "windows": 1441,
        "step_seconds": 3600,
        "missed_share": pytest.approx(4 / 1441),
        "worst_spent": pytest.approx(1.2006),
        "worst_consumed": pytest.approx(1.0005),
        "worst_end": "2026-11-01T00:00:00Z",
    }


def test_the_document_says_what_is_not_known() -> None:
    document = json.loads(render_page("json", output(told({"m": PARTLY}, SPEND)), Style()))
    review = document["services"][0]["spending"][0]["review"]

    assert [period["met"] for period in review["periods"]] == [True, None, None]
    assert [period["spent"] for period in review["periods"]] == [0.9, 0.48, None]
    assert review["periods"][2]["partly_known"] == "no_data"
    bare = told({"m": [*[None] * 400, *[0.005] * 320]}, SPEND, periods=1)
    document = json.loads(render_page("json", output(bare), Style()))
    assert document["services"][0]["spending"][0]["review"]["moved_windows"] is None
