"""The report on cohorts, as a person sees it and as a program reads it."""

import json
from datetime import timedelta
from fractions import Fraction
from math import inf
from typing import Any

import pytest

from gate.analysis.cohorts import ServiceCohorts
from gate.analysis.cohorts.words import output
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome
from gate.measure import Cause, Unmeasured
from gate.reporters import PAGES, render_page
from gate.reporters.ansi import Style
from gate.slo.objective import Span
from tests.reporters.cohorts import (
    AT,
    REST,
    comparison,
    contrast,
    group,
    none,
    report,
    service,
    slo,
    within,
)

HOSTILE = "\x1b[2J<b>@acme|`x`"
WIDE = Style(width=150)
LOST = Unmeasured(cause=Cause.NO_DATA, reason="nothing came back")


def terminal(*services: ServiceCohorts, style: Style = WIDE, **fields: Any) -> str:
    return render_page("terminal", output(report(*services, **fields)), style)


def joined(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def head(*services: ServiceCohorts) -> str:
    return terminal(*services).splitlines()[0].split("  ")[0]


def said(found: Comparison, mix: str | None = None, **fields: Any) -> str:
    """Return the sentence on a group of 420 events, beside one of which 1% fail."""
    one = slo(group("v7", found), REST, **fields)
    return joined(terminal(service(one), within=mix))


def test_the_answer_comes_first_and_a_row_has_the_numbers() -> None:
    lines = terminal(
        service(slo(group("v7", comparison(ComparisonOutcome.WORSE)), REST))
    ).splitlines()

    assert lines[0] == "✖ 1 COHORT BURNS MORE  chat"
    assert lines[2].strip() == (
        "availability   template v7 burns 6.0x as fast as the rest (4.8x to 7.5x)"
    )
    assert lines[3].strip() == "template v5 (0.20x) burns more slowly than the rest"
    assert lines[7].split() == [
        *("v7", "420", "42", "10.00%", "(7.00%", "to", "13.00%)", "30.0%"),
        *("10.00", "6.0x", "4.8x", "to", "7.5x", "<0.001", "3.0x"),
    ]
    text = joined("\n".join(lines))
    assert (
        "the traffic mix was not considered; stratify by a second label to compare like with like"
        in text
    )
    assert "2026-10-25 00:00 UTC to 2026-11-01 00:00 UTC, in 168 steps of 1h" in text


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            within(ComparisonOutcome.WORSE, 6.0, 5.0),
            "burns 6.0x as fast as the rest (4.8x to 7.5x); within each model 5.0x (4.0x to 6.2x):"
            " the mix of model does not explain it",
        ),
        (
            within(ComparisonOutcome.WORSE, 6.0, 2.0),
            "2.0x (1.60x to 2.5x): the mix of model explains only a part of it",
        ),
        (
            within(ComparisonOutcome.MIX, 3.0, 1.0),
            "burns 3.0x as fast as the rest (2.4x to 3.8x), but within each model 1.00x (0.80x to"
            " 1.25x): the mix of model explains it",
        ),
        (
            within(ComparisonOutcome.REVERSED, 3.0, 0.5),
            "(2.4x to 3.8x), but within each model 0.50x (0.40x to 0.62x): the mix of model"
            " reverses it",
        ),
        (
            within(ComparisonOutcome.HIDDEN, 1.0, 2.0),
            "shows no difference overall, but within each model 2.0x (1.60x to 2.5x): the mix"
            " of model hides it",
        ),
        (
            within(ComparisonOutcome.UNSURE, 3.0, 2.0),
            "the mix of model may explain it: within each model 2.0x",
        ),
        (
            within(ComparisonOutcome.UNSURE, 3.0, None),
            "not enough data to see whether the mix of model explains it",
        ),
    ],
)
def test_what_is_reported_is_what_was_examined(found: Comparison, sentence: str) -> None:
    text = said(found, mix="model")

    assert sentence in text
    assert "was not checked" not in text


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            none(0.03),
            "template v7: not enough data: 420 events are too few to see a difference below 3.0x",
        ),
        (none(0.015), "template v7: no difference seen; one of 1.50x or more would probably"),
        (none(None), "not enough data: 420 events are too few to see any difference"),
        (
            comparison(ComparisonOutcome.WORSE, inf),
            "template v7 fails, and the rest never does (at least 2.0x)",
        ),
        (
            comparison(ComparisonOutcome.BETTER, 0.0),
            "template v7 (0x), v5 (0.20x) burn more slowly than the rest",
        ),
        (
            Comparison(outcome=ComparisonOutcome.NOT_COMPARED, why="seen in 3 of 168 steps"),
            "template v7 was not compared: seen in 3 of 168 steps",
        ),
    ],
)
def test_what_cannot_be_told_is_reported_as_plainly(found: Comparison, sentence: str) -> None:
    assert sentence in said(found)


def test_when_the_events_came_is_reported_where_it_matters() -> None:
    timed = said(comparison(ComparisonOutcome.WORSE, 2.0, plain=5.0))
    gone = said(comparison(ComparisonOutcome.NONE, 1.1, plain=5.0))
    apart = said(comparison(ComparisonOutcome.WORSE, apart=True))
    less = said(comparison(ComparisonOutcome.BETTER, 0.1, apart=True))

    assert "burns 2.0x as fast as the rest (1.60x to 2.5x) at the same times, and 5.0x if" in timed
    assert (
        "template v7 burns 5.0x as fast as the rest, but at the same times 1.10x (0.88x to 1.38x):"
        " only the times of its events differ"
    ) in gone
    assert "(4.8x to 7.5x), but they ran at different times, so another change could be" in apart
    assert "template v7 (0.10x, at different times), v5 (0.20x) burn more slowly" in less
    assert "at the same times" not in said(comparison(ComparisonOutcome.WORSE))


def test_beside_what_never_failed_a_share_would_show() -> None:
    one = slo(group("v7", none(0.019, rest=0.0)))

    text = joined(terminal(service(one)))

    assert "no difference seen; 420 events are too few to see an error ratio below 1.9%" in text
    assert text.count("1.9%") == 2  # here, and in the last column


def test_a_baseline_is_named_and_has_nothing_beside_it() -> None:
    one = slo(group("v7", comparison(ComparisonOutcome.WORSE)), group("", None), baseline="")

    text = terminal(service(one))

    assert "template v7 burns 6.0x as fast as (none)" in text
    assert "  vs (none)  " in text
    assert [line.split()[-4:] for line in text.splitlines() if line.startswith("  (none)")] == [
        ["-", "-", "-", "-"]
    ]


def test_many_groups_of_which_nothing_can_be_said_are_one_sentence() -> None:
    silent = [group(f"v{n}", none(0.03)) for n in range(5)]
    worse = group("v9", comparison(ComparisonOutcome.WORSE))

    every = joined(terminal(service(slo(*silent))))
    more = joined(terminal(service(slo(worse, *silent))))

    assert "no difference seen of 5 groups; the last column has the smallest" in every
    assert "no difference seen of 5 more; the last column" in more
    assert "template v9 burns 6.0x" in more


def test_what_only_seems_to_burn_less_is_reported_together_and_why() -> None:
    one = slo(
        group("v7", within(ComparisonOutcome.MIX, 3.0, 1.0)),
        group("v6", within(ComparisonOutcome.MIX, 0.5, 1.0)),
        group("v5", within(ComparisonOutcome.BETTER, 0.6, 0.6)),
    )

    text = joined(terminal(service(one), within="model"))

    assert (
        "template v6 (0.50x), v5 (0.60x) burn more slowly than the rest; for v6 the mix of model"
        " explains it" in text
    )


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (
            service(slo(*[group(v, comparison(ComparisonOutcome.WORSE)) for v in "ab"])),
            "✖ 2 COHORTS BURN MORE",
        ),
        (
            service(*[slo(group("a", comparison(ComparisonOutcome.WORSE))) for _ in "ab"]),
            "✖ 1 COHORT BURNS MORE",
        ),
        (service(slo(REST, group("v1", none(0.1)))), "✔ NO COHORT SEEN TO BURN MORE"),
        (
            service(slo(group("a", within(ComparisonOutcome.MIX, 3, 1)))),
            "▲ COHORTS DIFFER",
        ),
        (service(slo(unmeasured=LOST)), "? NOT MEASURED"),
        (
            service(slo(REST, group("v1", Comparison(outcome=ComparisonOutcome.NOT_COMPARED)))),
            "▲ NOT ALL COMPARED",
        ),
        (service(), "? NOT MEASURED"),
        (service(slo(REST), slo(unmeasured=LOST)), "? PARTLY MEASURED"),
    ],
)
def test_the_head_says_what_was_found(one: ServiceCohorts, word: str) -> None:
    assert head(one) == word


def test_what_is_not_known_is_reported() -> None:
    one = service(
        slo(REST, unknown=Fraction(1, 4), notes=("seen",)),
        slo(slo="ttft", unmeasured=LOST),
        left_out=(("spend", "it spends"),),
    )

    text = joined(terminal(one))

    assert "availability: 25.0% of the time has no data" in text
    assert "Note availability: seen" in text
    assert "Not measured ttft: no data: nothing came back" in text
    assert "Left out spend: it spends" in text


def test_the_examined_time_is_reported_once_where_it_is_the_same() -> None:
    span = Span(AT - timedelta(days=30), AT)
    same = joined(terminal(service(slo(REST), slo(REST, slo="ttft"))))
    other = joined(terminal(service(slo(REST), slo(REST, slo="ttft", span=span))))

    assert same.count("2026-10-25 00:00 UTC to 2026-11-01 00:00 UTC, in 168 steps of 1h") == 1
    assert "Examined 2026-10-25" in same
    assert "Examined availability: 2026-10-25" in other
    assert "ttft: 2026-10-02 00:00 UTC to 2026-11-01 00:00 UTC, in 720 steps of 1h" in other


def test_several_slos_stand_in_one_table_and_like_with_like_has_a_column() -> None:
    both = service(
        slo(group("v7", within(ComparisonOutcome.WORSE, 6, 5)), REST), slo(REST, slo="ttft")
    )

    lines = terminal(both, within="model").splitlines()
    rows = [line for line in lines if line.startswith(("  availability  v7", "  ttft  "))][-2:]

    assert any(line.split()[:2] == ["SLO", "template"] for line in lines)
    assert "5.0x (4.0x to 6.2x)" in rows[0]
    assert rows[0].split()[:2] == ["availability", "v7"]
    assert rows[1].split()[:3] == ["ttft", "v5", "10,000"]


def test_what_burns_more_is_coloured() -> None:
    one = service(slo(group("v7", comparison(ComparisonOutcome.WORSE)), REST))

    lines = terminal(one, style=Style(width=150, color=True)).splitlines()

    red = [line for line in lines if "\x1b[91m" in line]
    assert any("6.0x" in line and "420" in line for line in red)


@pytest.mark.parametrize("format_", PAGES)
def test_hostile_names_break_out_of_no_format(format_: str) -> None:
    one = service(slo(group(HOSTILE, comparison(ComparisonOutcome.WORSE)), REST, notes=(HOSTILE,)))

    text = render_page(format_, output(report(one)), WIDE)

    assert "\x1b[2J" not in text
    if format_ == "markdown":
        assert "<b>" not in text
        assert "@acme|" not in text


def test_in_markdown_the_same_is_reported() -> None:
    one = service(slo(group("v7", comparison(ComparisonOutcome.WORSE)), REST))

    text = render_page("markdown", output(report(one)), WIDE)

    assert text.startswith("## ⛔ 1 COHORT BURNS MORE: chat")
    assert "template v7 burns 6.0x as fast as the rest" in text
    assert "| v7 | 420 | 42 |" in text
    empty = render_page("markdown", output(report(service())), WIDE)
    assert "NOT MEASURED" in empty


def test_in_json_a_ratio_without_end_is_null() -> None:
    never = comparison(ComparisonOutcome.WORSE, inf, within=contrast(None))
    one = service(slo(group("v7", never), group("v6", None), unmeasured=LOST))

    document = json.loads(render_page("json", output(report(one, within="model")), WIDE))
    (found,) = document["services"][0]["slos"]
    first, second = found["groups"]

    assert first["comparison"]["crude"]["ratio"] is None
    assert first["comparison"]["crude"]["ratio_interval"] == [2.0, None]
    assert first["comparison"]["stratified"]["ratio"] is None
    assert second["comparison"] is None
    assert found["unmeasured"] == {"cause": "no_data", "reason": "nothing came back"}
    assert document["exit_code"] == 3
    assert (document["by"], document["stratify_by"]) == ("template", "model")


@pytest.mark.parametrize(
    ("ends", "words"),
    [((0.0, 3.0), "at most 3.0x"), ((2.0, inf), "at least 2.0x"), ((0.0, inf), "not known")],
)
def test_an_interval_without_an_end_is_a_bound(ends: tuple[float, float], words: str) -> None:
    found = comparison(ComparisonOutcome.NONE, 1.0, crude=contrast(1.0, interval=ends), plain=9.0)

    text = terminal(service(slo(group("v7", found), REST)))

    assert words in text
    assert "∞" not in text
    assert "0x to" not in text


def test_the_period_whose_budget_the_shares_are_of_is_named() -> None:
    month, week = timedelta(days=30), timedelta(days=7)
    one = slo(REST, budget_period=month)
    same = terminal(service(one, slo(REST, slo="ttft", budget_period=month)))
    other = terminal(service(one, slo(REST, slo="ttft", budget_period=week)))

    assert "  30d budget used  " in same
    assert "  Budget used  " in other
    assert "Budget used availability: share of 30d, ttft: share of 7d" in joined(other)
    assert "share of" not in same


def test_a_label_that_makes_events_bad_is_reported_to_tell_which_and_not_why() -> None:
    whole = slo(
        group("500", Comparison(outcome=ComparisonOutcome.NOT_COMPARED)), by_definition=True
    )
    part = slo(group("500", comparison(ComparisonOutcome.WORSE)), defining=True)

    never, differs = joined(terminal(service(whole))), joined(terminal(service(part)))

    assert (
        "each value of template always or never fails, so they were not compared: their shares"
        " of the budget say which, not why; group events by another label" in never
    )
    assert "template 500 was not compared" not in never
    assert "template is part of what makes an event bad, so its values differ by def" in differs
    assert "template 500 burns 6.0x" in differs


def test_the_slo_that_burns_fastest_is_reported_first_and_those_that_burn_more_slowly_last() -> (
    None
):
    slower = slo(group("v7", comparison(ComparisonOutcome.BETTER, 0.5)), slo="slower")
    alike = slo(group("v7", none(0.1)), slo="alike")
    some = slo(group("v7", comparison(ComparisonOutcome.WORSE, 2.0)), slo="some")
    most = slo(group("v7", comparison(ComparisonOutcome.WORSE, 9.0)), slo="most")

    lines = terminal(service(slower, alike, some, most)).splitlines()

    assert [line.split()[0] for line in lines[2:6]] == ["most", "some", "alike", "slower"]
