"""The report on a backtest, as a person sees it and as a program reads it."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.analysis.backtest import PolicyBacktest
from gate.analysis.backtest.words import output
from gate.measure import Cause, Unmeasured
from gate.policy.coverage import Reservation
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.rule_settings import PostmortemRule
from gate.reporters import PAGES, render_page
from gate.reporters.ansi import Style
from tests.reporters.backtests import (
    CALM,
    DAY,
    HOUR,
    STORY,
    TIER,
    backtest,
    incident,
    past,
    report,
)
from tests.reporters.incidents import looked_at

WIDE = Style(width=250)
HOSTILE = "\x1b[2J<b>@acme|`x`"


def terminal(tried: PolicyBacktest, against: PolicyBacktest | None = None, **fields: Any) -> str:
    return render_page("terminal", output(report(tried, against, **fields)), WIDE)


def joined(tried: PolicyBacktest, against: PolicyBacktest | None = None, **fields: Any) -> str:
    """Return the text without its line breaks."""
    return " ".join(terminal(tried, against, **fields).split())


def rows(text: str, title: str) -> list[list[str]]:
    """Return the cells of the rows of the first table below a heading."""
    below = text.split(f"\n  {title}\n", 1)[1].splitlines()
    rule = next(place for place, line in enumerate(below) if "──" in line)
    table = below[rule + 1 :]
    end = next((place for place, line in enumerate(table) if not line.strip()), len(table))
    return [re.split(r" {2,}", line.strip()) for line in table[:end]]


def test_it_says_first_what_would_have_been_blocked_and_what_that_hit() -> None:
    text = joined(STORY)

    assert text.startswith("▲ WOULD HAVE BLOCKED 2 OF 6, 1 NOT MEASURED WELL ENOUGH chat")
    assert (
        "10d of chat with 6 deploys. The policy would have blocked 2 of them (33.3%), and 1"
        " would have been undecided. 2 incidents were found: 1 of the 2 blocked deploys and 0 of"
        " the 3 allowed came within an hour before one began. No budget ran out. It would have"
        " been closed to full-rollout 2 times, for 3d in all, at the longest for 2d from"
        " 2026-10-27 00:00 UTC." in text
    )


def test_each_verdict_has_its_row() -> None:
    lines = terminal(STORY).splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("  Verdict"))

    assert [re.split(r" {2,}", line.strip()) for line in lines[start + 2 : start + 6]] == [
        ["allowed", "2", "33.3%", "0", "0"],
        ["allowed, with a warning", "1", "16.7%", "0", "0"],
        ["undecided", "1", "16.7%", "0", "0"],
        ["blocked", "2", "33.3%", "1", "0"],
    ]


def test_the_rules_that_block_are_reported_with_what_they_block_alone() -> None:
    alone = past(2 * DAY, Verdict.BLOCK, deploy="v7", findings=(TIER, CALM))
    text = terminal(backtest(*STORY.verdicts, alone, incidents=STORY.nearness.incidents))

    assert [row[:5] for row in rows(text, "What blocks")] == [
        ["tier", "a", "3", "1", "1"],
        ["burn-rate", "a", "2", "0", "1"],
    ]


def test_what_is_about_the_whole_change_has_no_slo() -> None:
    freeze = Finding(rule=Rule.FREEZE, slo=None, verdict=Verdict.BLOCK, reason="frozen: a fair")
    stopped = past(DAY, Verdict.BLOCK, deploy="v1", findings=(freeze,))

    assert rows(terminal(backtest(stopped)), "What blocks")[0][:3] == [
        "freeze",
        "the whole change",
        "1",
    ]


def test_each_blocked_or_undecided_deploy_is_reported_with_what_followed() -> None:
    incidents = (*STORY.nearness.incidents, incident(4 * DAY + 10 * timedelta(minutes=1)))
    text = terminal(backtest(*STORY.verdicts, incidents=incidents))

    below = text.split("Deploy, UTC", 1)[1].splitlines()[2:5]
    assert [re.split(r" {2,}", line.strip())[:5] for line in below] == [
        ["2026-10-27 00:00", "v3 (model-update)", "blocked", "5.0%", "in 20m"],
        ["2026-10-28 00:00", "v4 (full-rollout)", "blocked", "5.0%", "goes on"],
        ["2026-10-29 00:00", "v5 (full-rollout)", "undecided", "-", "-"],
    ]
    assert "a: 5.0% of its budget is left" in below[0]


def test_of_an_overspent_budget_nothing_is_left() -> None:
    verdict = past(DAY, Verdict.BLOCK, deploy="v3", left=Fraction(-116, 100))

    row = terminal(backtest(verdict)).split("Deploy, UTC", 1)[1].splitlines()[2]

    assert re.split(r" {2,}", row.strip())[2:4] == ["blocked", "overspent by 116.0%"]


def test_why_it_was_undecided_is_reported_by_slo_and_cause() -> None:
    assert rows(terminal(STORY), "Why it is undecided") == [
        ["b", "stale", "1", "the newest sample is 20m old; max_age is 10m"]
    ]


def test_for_how_long_it_would_have_been_closed_is_reported_by_month_and_freeze() -> None:
    text = terminal(STORY)

    assert rows(text, "Closed to full-rollout") == [["2026-10", "3d", "2d", "9d"]]
    assert "2026-10-27 00:00  2026-10-29 00:00" in text
    assert "2026-10-31 00:00  2026-11-01 00:00" in text
    assert "each verdict is assumed to hold until the next deploy" in joined(STORY)


def test_by_the_hour_nothing_is_rough_and_hours_are_counted() -> None:
    hours = backtest(*(past(hour * HOUR, Verdict.BLOCK) for hour in range(5, 0, -1)))
    text = joined(hours)

    assert "10d of chat with 5 hours. The policy would have blocked 5 of them (100.0%)." in text
    assert "No incident was found, so no hour came before one." in text
    assert "closed to full-rollout once, for 5h from 2026-10-31 19:00 UTC." in text
    assert "until the next deploy" not in text
    assert "Deploy, UTC" not in text
    assert "every 1h" in text


def test_what_never_closes_says_so_and_has_a_tick() -> None:
    text = joined(backtest(past(DAY, deploy="v1"), incidents=[incident(2 * DAY)]))

    assert text.startswith("✔ WOULD HAVE BLOCKED 0 OF 1 chat")
    assert "10d of chat with 1 deploy. The policy would have blocked 0 of them (0.0%)." in text
    assert "1 incident was found: 0 of the 0 blocked" in text
    assert "It would never have been closed to full-rollout." in text
    for title in ("What blocks", "Why it is undecided", "Closed to full-rollout"):
        assert title not in text


def test_where_most_was_not_measured_there_is_no_verdict_on_the_policy() -> None:
    lost = [past(place * DAY, Verdict.UNDECIDED, deploy="v") for place in (3, 2)]

    text = joined(backtest(*lost, past(DAY, deploy="v")))

    assert text.startswith("? WOULD HAVE BLOCKED 0 OF 3, 2 NOT MEASURED WELL ENOUGH")


@pytest.mark.parametrize(
    ("by_deploys", "sentence"),
    [
        (True, "No deploy of chat is in this time. Look further back, or leave out the deploys"),
        (False, "This time is shorter than the interval. Ask more often, or look further back."),
    ],
)
def test_nothing_to_replay_is_reported_with_what_to_do(by_deploys: bool, sentence: str) -> None:
    text = joined(backtest(by_deploys=by_deploys))

    assert text.startswith("? NOTHING TO REPLAY chat")
    assert sentence in text


def test_what_became_of_the_budgets_and_what_might_have_is_reported() -> None:
    spent = past(5 * DAY, Verdict.BLOCK, deploy="v", remaining={"a": Fraction(-1, 5)})
    again = past(3 * DAY, Verdict.BLOCK, deploy="v", remaining={"a": Fraction(-1, 10)})
    between = past(4 * DAY, deploy="v")
    once = backtest(spent, between, incidents=[incident(5 * DAY - HOUR / 2)])
    twice = backtest(spent, between, again)

    assert rows(terminal(once), "Budgets") == [
        ["a", "overspent by 20.0%", "2026-10-27 00:00", "once", "90.0%", "115.0%"]
    ]
    assert "what would be left at the end if every incident" in joined(once)
    assert "Budgets that ran out: a once." in joined(once)
    assert rows(terminal(twice), "Budgets") == [
        ["a", "overspent by 20.0%", "2026-10-27 00:00", "2 times", "90.0%"]
    ]
    assert "what would be left" not in joined(twice)
    assert rows(terminal(STORY), "Budgets")[0][3] == "never"


def test_single_thresholds_are_reported_with_whom_they_spare() -> None:
    text = terminal(STORY)

    assert rows(text, "A single threshold instead")[0] == ["5% left or less", "2", "1", "3", "0"]
    assert "in tier exhausted, rollback, security-patch would be allowed" in joined(STORY)
    nothing = joined(backtest(past(DAY, Verdict.UNDECIDED, deploy="v")))
    assert "A single threshold" not in nothing


def test_a_last_tier_that_allows_nothing_or_everything_spares_that() -> None:
    def spared(allow: frozenset[str] | None) -> str:
        tier = replace(STORY.policy.tiers[-1], allow=allow)
        return joined(replace(STORY, policy=replace(STORY.policy, tiers=(tier,))))

    assert "in tier exhausted, no class would be allowed" in spared(frozenset())
    assert "in tier exhausted, every class would be allowed" in spared(None)


def test_two_policies_stand_side_by_side() -> None:
    lax = backtest(
        *(replace(one, verdict=Verdict.ALLOW, usual=Verdict.ALLOW) for one in STORY.verdicts)
    )
    lax = replace(lax, nearness=STORY.nearness, source=replace(lax.source, path="lax.yaml"))

    text = terminal(STORY, lax)

    assert rows(text, "Beside lax.yaml") == [
        ["allowed", "2", "6"],
        ["allowed, with a warning", "1", "0"],
        ["undecided", "1", "0"],
        ["blocked", "2", "0"],
        ["blocked, before an incident", "1", "0"],
        ["allowed, before an incident", "0", "1"],
        ["closed, in all", "3d", "0s"],
        ["closed, times", "2", "0"],
        ["class", "full-rollout", "full-rollout"],
    ]
    differing = text.split("At, UTC", 1)[1].splitlines()[2:6]
    assert [re.split(r" {2,}", line.strip()) for line in differing] == [
        ["2026-10-24 00:00", "v2 (full-rollout)", "allowed, with a warning", "allowed", "-"],
        ["2026-10-27 00:00", "v3 (model-update)", "blocked", "allowed", "in 20m"],
        ["2026-10-28 00:00", "v4 (full-rollout)", "blocked", "allowed", "-"],
        ["2026-10-29 00:00", "v5 (full-rollout)", "undecided", "allowed", "-"],
    ]


def test_why_only_the_other_policy_is_undecided_is_reported() -> None:
    decided = backtest(*(one for one in STORY.verdicts if one.verdict is not Verdict.UNDECIDED))
    other = replace(STORY, source=replace(STORY.source, path="other.yaml"))
    (doubt,) = STORY.undecided_by

    assert f"Undecided by other.yaml: {doubt.slo}: {doubt.example}" in joined(decided, other)
    assert "Undecided by" not in joined(STORY, other)
    assert "Undecided by" not in joined(other, decided)


def test_what_the_figures_rest_on_is_reported() -> None:
    rule = PostmortemRule(
        share=Fraction(1, 5), threshold=Fraction(6), patterns=("i/*.yaml",), records=()
    )
    looking_back = replace(STORY, policy=replace(STORY.policy, postmortems=rule))

    text = joined(looking_back)

    assert "Unknown what blocking would have changed: all of this did ship." in text
    assert "Class 4 of 6 deploys do not state a class of the policy" in text
    assert "Records incident records are used as they are today" in text
    assert "Requirements count as met only where that is stated" in text
    tier = replace(STORY.policy.tiers[-1], require={})
    without = joined(replace(STORY, policy=replace(STORY.policy, tiers=(tier,))))
    assert "Records" not in without
    assert "Requirements" not in without


def test_what_was_not_seen_of_the_incidents_is_reported() -> None:
    lost = Unmeasured(cause=Cause.NO_DATA, reason="there is nothing")
    reservation = Reservation(cause=Cause.STALE, reason="it is old", verdict=Verdict.WARN)

    text = joined(
        STORY,
        slos=(looked_at(unmeasured=lost), looked_at(slo="b", reservations=(reservation,))),
        left_out=(("m", "it spends an amount"),),
    )

    assert "Not measured availability: no data: there is nothing" in text
    assert "In doubt b: stale: it is old" in text
    assert "Left out m: it spends an amount" in text
    assert report(STORY, slos=(looked_at(unmeasured=lost),)).exit_code == 3
    assert report(STORY).exit_code == 0


def test_the_examined_time_is_reported_with_how_often() -> None:
    both = replace(STORY, every=HOUR)

    assert "2026-10-22 00:00 UTC to 2026-11-01 00:00 UTC, at each deploy" in joined(STORY)
    assert "2026-11-01 00:00 UTC, at each deploy and every 1h" in joined(both)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_others_wrote_breaks_out_of_a_report(name: str) -> None:
    hostile = past(DAY, Verdict.BLOCK, deploy=HOSTILE, change=HOSTILE)

    text = render_page(name, output(report(backtest(hostile))), Style())

    assert "\x1b[2J" not in text
    if name == "markdown":
        assert "<b>" not in text
        assert "@acme" not in text.replace("@\u200bacme", "")


def test_the_document_has_every_instant() -> None:
    document = json.loads(render_page("json", output(report(STORY)), Style()))
    (service,) = document["services"]
    tried = service["policy"]

    assert (document["from"], document["to"]) == ("2026-10-22T00:00:00Z", "2026-11-01T00:00:00Z")
    assert document["every_seconds"] is None
    assert service["against"] is None
    assert (tried["counted"], tried["count"]) == ("deploys", 6)
    assert tried["verdicts"]["block"] == {
        "count": 2,
        "before_incident": 1,
        "during_incident": 0,
    }
    assert [one["verdict"] for one in tried["results"]] == [
        *("allow", "warn", "block", "block", "undecided", "allow")
    ]
    blocked = tried["results"][2]
    assert blocked["before_incident"] == "2026-10-27T00:20:00Z"
    assert blocked["remaining"] == 0.05
    assert [one["rule"] for one in blocked["findings"]] == ["tier", "burn-rate"]
    assert tried["results"][0]["findings"] == []
    assert tried["undecided_by"][0]["cause"] == "stale"
    assert tried["frozen_seconds"] == 3 * 86400
    hours = backtest(past(2 * HOUR), past(HOUR, Verdict.BLOCK))
    both = json.loads(render_page("json", output(report(hours, hours)), Style()))
    assert both["every_seconds"] == 3600
    assert both["services"][0]["against"] == both["services"][0]["policy"]
    assert both["services"][0]["policy"]["results"][0]["revision"] is None
