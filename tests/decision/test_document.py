import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.impact import Impact
from gate.decision.document import to_document
from gate.decision.slo_document import number, rfc3339, share, slo_document
from gate.decision.status import status_document
from gate.measure import Cause, Suspicion, Unmeasured
from gate.policy.changes import Recognition
from gate.slo.objective import Bound
from tests.budget.building import counts as measured
from tests.budget.building import ratio
from tests.reporters.builders import (
    AT,
    allow_policy,
    availability,
    block_policy,
    burning,
    by_the_minute,
    composite,
    counts,
    decision,
    first_token,
    healthy,
    judged,
    overspent,
    sampled,
    spend,
    status,
    undecided_policy,
    unmeasured,
    warn_policy,
)

NUMBERS = (
    "total",
    "bad",
    "error_ratio",
    "spent",
    "consumed",
    "remaining",
    "remaining_interval",
    "compared",
    "coverage",
    "newest",
    "forecast",
    "impact",
    "sla_remaining",
)


CANARY = Recognition(change="canary", how="--change")


def without_verdict(slo: dict[str, Any]) -> dict[str, Any]:
    """Return the SLO of a decision as one that is about no change."""
    return {key: value for key, value in slo.items() if key != "tier_verdict"}


def document(known: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(slo_document(known, AT), allow_nan=False))
    return made


def test_an_overspent_budget_is_negative_and_never_clamped() -> None:
    known = document(overspent())
    # 1,800 bad of 1,200,000 where 1,200 were allowed.
    assert (known["total"], known["bad"]) == (1_200_000, 1_800)
    assert known["error_ratio"] == 0.0015
    assert (known["consumed"], known["remaining"], known["compared"]) == (1.5, -0.5, -0.5)
    # The contract allowed 6,000.
    assert known["sla_remaining"] == 0.7
    assert known["burn_rates"]["1h"] == 14.5
    assert known["forecast"]["exhausted_at"] is None
    assert known["impact"]["largest_canary"] == 0.0
    assert known["status"] == "measured"


@pytest.mark.parametrize("cause", Cause)
def test_nothing_unmeasured_looks_measured(cause: Cause) -> None:
    known = document(unmeasured(cause, "why not"))
    assert {name: known[name] for name in NUMBERS} == dict.fromkeys(NUMBERS)
    assert known["status"] == cause
    assert known["doubts"] == [{"cause": cause, "reason": "why not"}]
    assert (known["burn_rates"], known["notes"]) == ({}, [])
    assert known["query"] == "sum(rate(x[$window]))"


def test_a_burn_rate_that_was_not_measured_is_null_and_has_its_reason() -> None:
    lost = Unmeasured(cause=Cause.STALE, reason="the newest sample is 3h old")
    windows = burning(1, 100) | {timedelta(hours=6): lost}
    known = document(availability(counts(1, 10_000), windows))
    assert known["burn_rates"]["6h"] is None
    assert known["burn_rates"]["30m"] == 10.0
    assert list(known["burn_rates"]) == ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
    assert known["burn_rate_doubts"] == [
        {"window": "6h", "cause": "stale", "reason": "the newest sample is 3h old"}
    ]


def test_a_doubted_number_is_kept_and_its_first_doubt_is_the_status() -> None:
    known = document(warn_policy().assessments[0])
    assert known["remaining"] == -6.5
    assert known["status"] == "low_coverage"
    assert [doubt["cause"] for doubt in known["doubts"]] == ["low_coverage", "low_traffic"]
    assert (known["coverage"], known["notes"]) == (0.67, ["counter resets: 2"])


def test_timeslices_tell_the_budget_as_time() -> None:
    known = document(by_the_minute(12))
    assert known["budgeting"] == "timeslices"
    assert known["allowed_bad_seconds"] == 2592  # 43.2 minutes
    assert known["slices"] == {"seconds": 60, "target": 0.95, "empty": "left-out"}
    assert known["denominator"] is None


def test_a_calendar_window_tells_its_denominator_and_its_reset() -> None:
    known = document(first_token())
    assert known["window"] == "calendar month (Europe/Berlin)"
    assert known["denominator"] == "period"
    assert known["window_start"] == "2026-10-31T23:00:00Z"
    assert known["window_end"] == "2026-11-23T20:53:51Z"
    assert known["forecast"]["resets_at"] == "2026-11-30T23:00:00Z"
    assert known["forecast"]["lasts_until_reset"] is True


def test_spend_has_an_allowance_and_no_objective() -> None:
    known = document(spend())
    assert (known["spent"], known["allowance"], known["unit"]) == (12_340, 50_000, "USD")
    assert known["consumed"] == 0.2468
    assert (known["objective"], known["budgeting"], known["total"]) == (None, None, None)


def test_a_composite_names_its_members_and_has_no_window() -> None:
    known = document(composite(healthy(), first_token()))
    assert known["members"] == [
        {"slo": "availability", "weight": 0.5},
        {"slo": "ttft", "weight": 0.5},
    ]
    assert (known["window"], known["window_start"], known["newest"]) == (None, None, None)


@pytest.mark.parametrize("bound", Bound)
def test_a_sampled_budget_tells_its_interval_and_which_end_was_compared(bound: Bound) -> None:
    known = document(sampled(bound))
    low, high = known["remaining_interval"]
    assert low < known["remaining"] < high
    ends = {"pessimistic": low, "point": known["remaining"], "optimistic": high}
    assert known["compared"] == ends[bound]


def test_a_stated_impact_counts_as_consumed_and_an_assumed_one_does_not() -> None:
    impact = Impact(canary=Fraction(1, 10), failures=Fraction(1, 2), detect=timedelta(minutes=20))
    known = document(overspent(impact=impact))
    assert known["impact"]["stated"] is True
    assert (known["impact"]["canary"], known["impact"]["failures"]) == (0.1, 0.5)
    assert known["impact"]["detect_seconds"] == 1200
    # 2,000 events an hour, 5% of them for 20 minutes, of the 1,200 that are allowed.
    assert known["impact"]["cost"] == pytest.approx(2_000 / 3 * 0.05 / 1_200)
    assert known["compared"] == pytest.approx(-0.5 - known["impact"]["cost"])
    assert document(overspent())["impact"]["stated"] is False


def test_a_failure_that_costs_nothing_may_last_any_time() -> None:
    known = document(availability(counts(0, 5_000), impact=Impact(canary=Fraction(0))))
    assert known["impact"]["longest_detect_seconds"] is None


def test_a_forecast_is_reported_to_the_second() -> None:
    known = document(healthy())
    exhausted = datetime.fromisoformat(known["forecast"]["exhausted_at"])
    # Burning at 0.5, 76% lasts 45.6 days.
    assert abs(exhausted - AT - timedelta(days=45.6)) < timedelta(seconds=2)
    assert exhausted.microsecond == 0


def test_the_change_class_of_the_whole_is_the_one_that_all_agree_on() -> None:
    one, other = block_policy(), allow_policy(recognition=CANARY)
    assert to_document(decision(one, one))["change_class"] == "full-rollout"
    assert to_document(decision(one, other))["change_class"] is None


def test_a_policy_tells_who_why_and_what_now() -> None:
    made: Any = to_document(decision(block_policy(), fail_on_warn=True))
    policy = made["policies"][0]
    assert (made["verdict"], made["exit_code"], made["fail_on_warn"]) == ("block", 10, True)
    assert made["expires_at"] == "2026-11-23T21:08:51Z"
    assert policy["owners"] == ["@acme/llm-platform", "Ada <ada@acme.example>"]
    assert (policy["tier"], policy["worst_slo"]) == ("exhausted", "availability")
    assert policy["allowed_now"] == ["rollback", "security-patch"]
    assert policy["allowed_again_at"] == "2026-11-30T23:00:00Z"
    assert policy["source"]["modified"] is False
    assert [finding["verdict"] for finding in policy["findings"]] == ["block", "block", "allow"]


def test_evidence_for_an_obligation_is_recorded() -> None:
    policy: Any = to_document(decision(warn_policy()))["policies"]
    assert policy[0]["obligations"] == ["shadow"]
    assert policy[0]["satisfied"] == {"shadow": "https://ci.acme.example/runs/17"}


def test_without_any_budget_there_is_no_tier_and_no_worst_slo() -> None:
    made: Any = to_document(decision(judged(undecided_policy(), tier=None, worst=None)))
    assert (made["policies"][0]["tier"], made["policies"][0]["worst_slo"]) == (None, None)


def test_a_status_has_the_slos_of_a_decision_and_no_verdict() -> None:
    policy = block_policy()
    made: Any = status_document(status(policy))
    decided: Any = to_document(decision(policy))
    shown = [without_verdict(slo) | {"burn_down": None} for slo in decided["policies"][0]["slos"]]
    assert made["policies"][0]["slos"] == shown
    assert "verdict" not in json.dumps(made)
    assert made["evaluated_at"] == "2026-11-23T20:53:51Z"


@given(st.fractions() | st.integers(min_value=10**400).map(lambda n: Fraction(2 * n + 1, 2)))
def test_every_fraction_has_a_json_number(value: Fraction) -> None:
    for text in (json.dumps(number(value), allow_nan=False), json.dumps(share(value))):
        assert float(Fraction(text) / (value or 1)) == pytest.approx(1 if value else 0)


def test_whole_amounts_are_integers_and_shares_are_floats() -> None:
    assert (
        json.dumps([number(Fraction(3)), number(Fraction(7, 2)), number(None)]) == "[3, 3.5, null]"
    )
    assert json.dumps([share(Fraction(1)), share(None)]) == "[1.0, null]"


def test_a_number_beyond_the_floats_is_written_whole() -> None:
    assert share(Fraction(10**400) + Fraction(1, 2)) == 10**400


def test_instants_are_utc_whatever_zone_they_came_in() -> None:
    assert rfc3339(AT.astimezone(tz=None)) == "2026-11-23T20:53:51Z"
    assert (
        rfc3339(datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)) == "2026-01-01T00:00:00.500000Z"
    )
    assert rfc3339(None) is None


def test_a_suspicion_is_listed_with_what_may_be_hidden() -> None:
    suspicion = Suspicion(
        cause=Cause.BORN, reason="3 began above zero", remedy="export 0 first", hidden=None
    )
    suspected = document(ratio(measured(bad=1, total=1_000_000, suspicions=(suspicion,))))
    assert suspected["suspicions"] == [
        {
            "cause": "born",
            "reason": "3 began above zero",
            "remedy": "export 0 first",
            "hidden": None,
            "doubtful": 0,
        }
    ]


def test_each_slo_has_its_tier_and_what_that_says_of_the_change() -> None:
    made: Any = to_document(decision(block_policy(), undecided_policy()))
    blocked, undecided = made["policies"]
    assert {slo["name"]: (slo["tier"], slo["tier_verdict"]) for slo in blocked["slos"]} == {
        "ttft": ("healthy", "allow"),
        "uptime": ("healthy", "allow"),
        "availability": ("exhausted", "block"),
    }
    assert (undecided["slos"][0]["tier"], undecided["slos"][0]["tier_verdict"]) == (None, None)
