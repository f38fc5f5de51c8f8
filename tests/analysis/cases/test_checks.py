"""Cases that name things their policy lacks, or state what no backend could have answered."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.analysis.cases.run import run_cases
from gate.config.cases_schema import read_cases
from gate.errors import PolicyError
from tests.analysis.cases.test_judging import MONTH, SAMPLED, SLICES, SPEND, TWO
from tests.analysis.cases.trying import SLOS, mistakes_of, policy_file, tried

RECORD = "records: [{id: A, service: chat, title: t, start: 2026-11-18T10:00:00Z, status: open}]\n"
CLASSES = "changes: {model-update: {labels: [m], approved_by: ['@ada']}}\n"


@pytest.mark.parametrize(
    ("body", "expect", "message"),
    [
        ("change: canry\n", "{verdict: allow}", "no change class 'canry'; did you mean 'canary'?"),
        (
            "slos: {availabilty: {remaining: 1%}}\n",
            "{verdict: allow}",
            "the policy has no SLO 'availabilty'; did you mean 'availability'?",
        ),
        ("satisfied: [shadw]\n", "{verdict: allow}", "no requirement of a tier 'shadw'; did you"),
        ("", "{verdict: allow, tier: helthy}", "no tier 'helthy'; did you mean 'healthy'?"),
        ("", "{verdict: allow, change: canry}", "no change class 'canry'; did you mean 'canary'?"),
        ("", "{verdict: allow, worst_slo: a}", "the policy has no SLO 'a'; known: availability"),
        ("", "{verdict: allow, allowed_now: [canry]}", "no change class 'canry'; did you mean"),
        ("", "{verdict: allow, obligations: [shadw]}", "no requirement of a tier 'shadw'; did you"),
        ("", "{verdict: warn, rules: [{rule: tier, slo: a}]}", "the policy has no SLO 'a'; known"),
        ("", "{verdict: warn, rules: [burn-rate]}", "never fires: the policy has no burn_rates"),
        ("", "{verdict: warn, rules: [freeze]}", "freeze never fires: the policy has no freezes"),
        ("", "{verdict: warn, rules: [samples]}", "samples never fires: no SLO is sampled"),
        ("", "{verdict: warn, rules: [postmortem]}", "never fires: the policy has no postmortems"),
        (RECORD, "{verdict: allow}", "the policy has no postmortems, and reads no records"),
        ("change: {labels: [m]}\n", "{verdict: allow}", "the policy recognises no class; name it"),
    ],
)
def test_a_name_that_the_policy_does_not_have_is_a_mistake(
    body: str, expect: str, message: str
) -> None:
    (mistake,) = mistakes_of(body, expect)

    assert message in mistake


@pytest.mark.parametrize(
    ("body", "expect", "more"),
    [
        ("", "{verdict: allow, rules: []}", ""),
        ("satisfied: [shadow]\n", "{verdict: allow, obligations: []}", ""),
        ("change: {labels: [x], approved_by: ['@ada']}\n", "{verdict: allow}", CLASSES),
        ("change: {paths: [x]}\n", "{verdict: allow, allowed_now: all}", CLASSES),
    ],
)
def test_names_that_the_policy_has_are_none(body: str, expect: str, more: str) -> None:
    assert tried(body, expect, more=more).passed


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            RECORD.replace("chat", "rag"),
            "explains nothing: it is of rag, and the policy of chat",
        ),
        (RECORD.replace("id: A", "id: A, slos: [ttft]"), "has no SLO 'ttft'; known: av"),
    ],
)
def test_a_record_of_something_else_is_a_mistake(record: str, message: str) -> None:
    more = "postmortems: {share: 20%, known_incidents: incidents/*.yaml}\n"
    (mistake,) = mistakes_of(record, more=more)

    assert message in mistake
    assert mistakes_of(RECORD, more=more) == []
    right = RECORD.replace("id: A", "id: A, slos: [availability]")
    assert mistakes_of(right, more=more) == []


def test_an_approver_is_one_of_the_policys() -> None:
    (mistake,) = mistakes_of("change: {labels: [m], approved_by: ['@adda']}\n", more=CLASSES)

    assert mistake == "the policy has no approver '@adda'; did you mean '@ada'?"


def test_a_requirement_never_fires_where_no_tier_requires_anything() -> None:
    from tests.analysis.cases import trying  # noqa: PLC0415

    plain = trying.TIERS.replace("    require: {security-patch: [shadow]}\n", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trying, "TIERS", plain)
        (mistake,) = mistakes_of("", "{verdict: warn, rules: [requirement]}")

    assert mistake == "requirement never fires: no tier requires anything"


@pytest.mark.parametrize(
    ("slos", "stated", "message"),
    [
        (TWO, "whole: {remaining: 1%}", "whole is made of others; state those: availability, lat"),
        (SPEND, "money: {total: 3, bad: 1}", "money: it spends an allowance; state spent, or rem"),
        (SPEND, "money: {remaining: 1%, burn_rates: {1h: 1}}", "an allowance has no burn rates"),
        (SLOS, "availability: {spent: 3}", "it has an objective; state total and bad"),
        (SLOS, "availability: {remaining: 1%, burn_rates: {2h: 1}}", "no rule has the window '2h'"),
        (
            SLOS,
            "availability: {remaining: 1%, burn_rates: {2x: 1}}",
            "'2x' is not a valid duration",
        ),
        (
            SLOS,
            "availability: {remaining: 1%, burn_rates: {1h: 1001}}",
            "it burns at 1000 at most, if all is bad",
        ),
        (
            SLICES.replace("gauge: up", "gauge: up").replace(
                "window: 30d", "window: 30d, timeslices: {length: 2h, target: 95%}"
            ),
            "up: {remaining: 1%, burn_rates: {1h: 1}}",
            "the window is shorter than one timeslice",
        ),
        (
            SLOS,
            "availability: {remaining: -100000%}",
            "not more than 100,000.0% of the budget can be consumed by then, if all is bad",
        ),
    ],
)
def test_what_no_backend_could_have_answered_is_a_mistake(
    slos: str, stated: str, message: str
) -> None:
    (mistake,) = mistakes_of(f"slos: {{{stated}}}\n", slos=slos)

    assert message in mistake


@pytest.mark.parametrize(
    ("slos", "stated"),
    [
        (MONTH, "latency: {remaining: 90%}"),
        (MONTH, "latency: {total: 3, bad: 1}"),
        (SPEND, "money: {spent: 3}"),
        (SPEND, "money: {remaining: 90%}"),
    ],
)
def test_nothing_can_be_stated_of_a_period_that_begins_only_just(slos: str, stated: str) -> None:
    (mistake,) = mistakes_of(f"slos: {{{stated}}}\n", slos=slos, at="2026-11-01T00:00:00Z")

    assert "its period begins at this very instant" in mistake


@pytest.mark.parametrize("slos", [MONTH, SPEND])
def test_a_period_that_begins_only_just_is_not_measured(slos: str) -> None:
    result = tried("", "{verdict: undecided}", slos=slos, at="2026-11-01T00:00:00Z")

    assert result.passed


def test_early_in_a_period_not_all_of_its_budget_can_be_consumed() -> None:
    # On 2 November 1 of 30 days is over: at 95% all that fails by then is 20/30 of the budget.
    (mistake,) = mistakes_of(
        "slos: {latency: {remaining: 30%}}\n", slos=MONTH, at="2026-11-02T00:00:00Z"
    )

    assert "not more than 66.7% of the budget can be consumed by then" in mistake


def test_a_sample_of_which_a_share_is_stated_is_known_exactly() -> None:
    result = tried("slos: {quality: {remaining: 50.1%}}\n", slos=SAMPLED)

    assert (result.passed, result.firing) == (True, ())


RICH = """\
version: 1
at: 2026-11-20T14:00:00Z
cases:
  - name: rich
    change: {paths: [models/a], labels: [m], approved_by: ["@ada"]}
    satisfied: [shadow]
    impact: {canary: 10%, detect: 10m}
    slos:
      availability:
        total: 1000000
        bad: 400
        burn_rates: {1h: 14.4, 5m: no_traffic}
        newest: 5m
        coverage: 95%
        incidents: [{start: 2026-11-20T10:00:00Z, end: 2026-11-20T11:00:00Z, bad: 300}]
    expect:
      verdict: block
      rules: [{rule: postmortem, slo: availability}]
      allowed_now: [rollback]
"""
MORE = """\
changes: {model-update: {labels: [m], approved_by: ["@ada"]}}
burn_rates: google-30d
postmortems: {share: 20%, known_incidents: i/*.yaml, last: 2d}
"""
PLACES = [match.span() for match in re.finditer(r"[\\w./%@+-]+", RICH)]
ODD = ["", "0", "-1", "1e99", "1/0", "nan", "${A}", "a: b", "[", "{", "- ", "*a", "!!x", "9" * 50]
ODD += [RICH[start:end] for start, end in PLACES]


def outcome_of(text: str) -> tuple[int, int]:
    """Return how many cases were judged, and how many mistakes there are."""
    try:
        return len(run_cases(policy_file(MORE), read_cases(text.encode(), "a", {})).results), 0
    except PolicyError as error:
        return 0, len(error.mistakes)


def test_the_rich_case_is_judged() -> None:
    assert outcome_of(RICH) == (1, 0)


@given(st.sampled_from(PLACES), st.sampled_from(ODD))
def test_any_word_in_another_place_is_judged_or_is_a_mistake(
    place: tuple[int, int], word: str
) -> None:
    """Never an error of the program."""
    start, end = place

    judged, mistakes = outcome_of(f"{RICH[:start]}{word}{RICH[end:]}")

    assert (judged > 0) is (mistakes == 0)
