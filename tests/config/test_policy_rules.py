"""The rules by which a policy decides: tiers, burn rates, freezes, classes and the ``on`` table."""

from datetime import timedelta
from fractions import Fraction

import pytest

from gate.policy.changes import BUILT_IN_CHANGES, REPAIRS
from gate.policy.requirements import Claim
from gate.policy.rule_settings import GOOGLE_30D, BurnRateRule, Effect
from gate.policy.tiers import Condition, Tier
from tests.config.texts import (
    TIERS,
    assert_mistake,
    assert_warning,
    policy,
    slo,
    sound,
)

CLASSES = ", ".join(sorted(BUILT_IN_CHANGES))


def tiers(*entries: str) -> str:
    return policy(
        tiers="tiers:\n" + "".join(f"  - {entry}\n" for entry in entries),
        more="claims: allowed\n",
    )


REST = "{name: rest, otherwise: true, allow: [rollback]}"
LAST = "the last tier must hold for all other budgets; replace remaining with otherwise: true, or"
LAST += " add a tier with it"


def test_tiers_are_read_in_their_order() -> None:
    tiers_read = sound(
        tiers(
            '{name: healthy, remaining: "> 50%", allow: all}',
            '{name: caution, remaining: ">= 0.1", allow: [rollback], warn: [canary]}',
            '{name: overspent, remaining: "> -50%", allow: [rollback, canary],'
            " require: {canary: [shadow, review]}}",
            REST,
        )
    ).tiers

    assert tiers_read == (
        Tier(name="healthy", condition=Condition(">", Fraction(1, 2)), allow=None),
        Tier(
            name="caution",
            condition=Condition(">=", Fraction(1, 10)),
            allow=frozenset({"rollback"}),
            warn=frozenset({"canary"}),
        ),
        Tier(
            name="overspent",
            condition=Condition(">", Fraction(-1, 2)),
            allow=frozenset({"rollback", "canary"}),
            require={"canary": (Claim(name="shadow"), Claim(name="review"))},
        ),
        Tier(name="rest", condition=None, allow=frozenset({"rollback"})),
    )


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("50%", "'50%' is not a valid comparison; write for example \"> 50%\""),
        ("=> 50%", "'=> 50%' is not a valid comparison; write for example \"> 50%\""),
        ("> 50", "a bare 50 is ambiguous; write 50% or a share from 0 to 1"),
        ("> half", "'half' is not a valid percentage or share; write for example 99.9% or 0.999"),
        (
            "> 101%",
            "'> 101%': a budget has at most 100% left; -50% is overspent by half",
        ),
        (
            "> -1000000000%",
            "'> -1000000000%': a budget has at most 100% left; -50% is overspent by half",
        ),
    ],
)
def test_a_threshold_that_is_none_says_so(condition: str, message: str) -> None:
    assert_mistake(tiers(f'{{name: a, remaining: ¦"{condition}", allow: all}}', REST), message)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            ["¦{name: a, allow: all}", REST],
            ('the condition is missing; add remaining: "> 50%", or otherwise: true (last tier)'),
        ),
        (
            ['{name: a, remaining: "> 1%", otherwise: ¦true, allow: all}', REST],
            "'remaining' and 'otherwise' do not go together; remove one of the two",
        ),
        (
            ["{name: a, otherwise: ¦false, allow: all}"],
            'otherwise can only be true; write remaining: "> 50%" for a condition',
        ),
        (['¦{name: a, remaining: "> 1%", allow: all}'], f"a: {LAST}"),
        (
            ["¦{name: a, otherwise: true, allow: all}", REST],
            "a: otherwise: true holds for every budget; move this tier to the end",
        ),
        (
            [
                '{name: a, remaining: "> 1%", allow: all}',
                '¦{name: b, remaining: "> 2%", allow: all}',
                REST,
            ],
            "b: no budget reaches this tier: a (> 1%) holds first; put higher thresholds first",
        ),
        (
            [
                '{name: a, remaining: ">= -5%", allow: all}',
                '¦{name: b, remaining: "> 5%", allow: all}',
                REST,
            ],
            "b: no budget reaches this tier: a (>= -5%) holds first; put higher thresholds first",
        ),
        (
            ['¦{name: a, remaining: "> 100%", allow: all}', REST],
            "a: no budget is ever > 100%: at most 100% is left",
        ),
        (
            [
                '{name: a, remaining: "> 0%", allow: all}',
                '¦{name: b, remaining: "<= 0%", allow: all}',
                REST,
            ],
            "b: with '<= 0%' before it, no budget reaches rest; did you mean '>= 0%'?",
        ),
        (
            ['{name: a, remaining: "> 1%", allow: ¦al}', REST],
            "'al' is not all or none; did you mean 'all'?",
        ),
        (
            [
                '{name: a, remaining: "> 1%", allow: [rollback], require: ¦{canary: [x]}}',
                REST,
            ],
            "require names 'canary', which this tier does not allow; add it to allow",
        ),
        (
            ['{name: a, remaining: "> 1%", allow: all, require: {canary: ¦[]}}', REST],
            "the list needs at least 1 entry; write require: {model-update:"
            " [{evaluation: faithfulness, from: evals/*.json, at_least: 95%}]}",
        ),
    ],
)
def test_tiers_that_cannot_be_meant_are_reported(entries: list[str], message: str) -> None:
    assert_mistake(tiers(*entries), message)


def test_the_second_of_two_tiers_with_one_name_names_the_line_of_the_first() -> None:
    assert_mistake(
        tiers('{name: rest, remaining: "> 1%", allow: all}', REST.replace("name: ", "name: ¦")),
        "duplicate tier name 'rest'; the first one is on line 7",
    )


def test_a_tier_that_allows_with_less_budget_what_another_forbids_draws_a_warning() -> None:
    assert_warning(
        tiers('¦{name: a, remaining: "< 50%", allow: all}', REST),
        "a: allows bug-fix at '< 50%', and rest forbids it with more budget left; check the"
        " comparison",
    )


@pytest.mark.parametrize(
    "threshold", ['">= 100%"', '"> 99.9%"', '"< 100%"', '"> -100000%"', '"<= -50%"']
)
def test_a_tier_that_some_budget_reaches_is_not_a_mistake(threshold: str) -> None:
    assert (
        sound(tiers(f"{{name: a, remaining: {threshold}, allow: [rollback]}}", REST)).service
        == "chat"
    )


@pytest.mark.parametrize("allow", ["none", "[]", "[canary]"])
def test_a_tier_that_forbids_rollback_draws_a_warning(allow: str) -> None:
    assert_warning(
        tiers(
            '{name: a, remaining: "> 1%", allow: all}',
            f"¦{{name: rest, otherwise: true, allow: {allow}}}",
        ),
        "rest: forbids rollback, which would prolong an outage; add it to allow",
    )


def test_a_tier_that_lets_rollback_ship_with_a_warning_does_not_forbid_it() -> None:
    assert (
        sound(tiers("{name: rest, otherwise: true, allow: none, warn: [rollback]}")).service
        == "chat"
    )


@pytest.mark.parametrize(
    ("marked", "word", "hint"),
    [
        (
            policy(tiers=TIERS.replace("rollback", "rollback, ¦canari")),
            "canari",
            "did you mean 'canary'?",
        ),
        (
            policy(tiers=TIERS.replace("allow: all", "allow: all, warn: [¦rol-back]")),
            "rol-back",
            "did you mean 'rollback'?",
        ),
        (
            policy(
                tiers=TIERS.replace("allow: all", "allow: all, require: {¦bugfix: [x]}"),
                more="claims: allowed\n",
            ),
            "bugfix",
            "did you mean 'bug-fix'?",
        ),
        (policy(more="on: {except: [¦zzz]}\n"), "zzz", f"known: {CLASSES}"),
        (policy(more="changes: {default: ¦canry}\n"), "canry", "did you mean 'canary'?"),
        (
            policy(more="burn_rates: [{long: 1h, short: 5m, rate: 2, allow: [¦canry]}]\n"),
            "canry",
            "did you mean 'canary'?",
        ),
        (
            policy(
                more="freezes: [{from: 2026-01-01, to: 2026-01-02, reason: x, allow: [¦canry]}]\n"
            ),
            "canry",
            "did you mean 'canary'?",
        ),
    ],
)
def test_a_word_that_is_not_a_change_class_names_the_nearest(
    marked: str, word: str, hint: str
) -> None:
    assert_mistake(marked, f"{word!r} is not a change class; {hint}")


def test_a_policy_may_have_classes_of_its_own() -> None:
    changes = "changes: {default: p0-fix, p0-fix: {description: a P0}, other: {description: x}}\n"
    policy_read = sound(policy(tiers=TIERS.replace("rollback", "rollback, p0-fix"), more=changes))

    assert policy_read.default_change == "p0-fix"
    assert policy_read.change_classes == {*BUILT_IN_CHANGES, "p0-fix", "other"}


def test_the_named_burn_rates_are_googles() -> None:
    assert sound(policy(more="burn_rates: google-30d\n")).burn_rates == GOOGLE_30D


def test_burn_rates_may_be_ones_own_with_defaults() -> None:
    own = "burn_rates: [{long: 1h, short: 5m, rate: 14.4}, {long: 6h, short: 30m, rate: 6, effect: warn, allow: [canary]}]\n"  # noqa: E501

    assert sound(policy(more=own)).burn_rates == (
        BurnRateRule(
            long=timedelta(hours=1),
            short=timedelta(minutes=5),
            rate=Fraction(144, 10),
            effect=Effect.BLOCK,
            allow=REPAIRS,
        ),
        BurnRateRule(
            long=timedelta(hours=6),
            short=timedelta(minutes=30),
            rate=Fraction(6),
            effect=Effect.WARN,
            allow=frozenset({"canary"}),
        ),
    )


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ("¦google-3d", "'google-3d' is not a valid value; did you mean 'google-30d'?"),
        (
            "[{long: 5m, short: ¦1h, rate: 2}]",
            "short must be shorter than long",
        ),
        ("[{long: 1h, short: 5m, rate: ¦0}]", "0 is not above zero; write a positive number"),
        (
            "[{long: 1h, short: 5m, rate: ¦14,4}]".replace("14,4", "'14,4'"),
            "'14,4' is not a valid number; write 14.4",
        ),
    ],
)
def test_burn_rates_that_cannot_be_meant_are_reported(rates: str, message: str) -> None:
    assert_mistake(policy(more=f"burn_rates: {rates}\n"), message)


@pytest.mark.parametrize("window", ["27d", "7d", "90d"])
def test_rates_made_for_a_month_draw_a_warning_over_another_window(window: str) -> None:
    slos = slo("objective: 99%", f"window: {window}", "sli: {bad: a, total: b}")

    assert_warning(
        policy(slos=slos, more="burn_rates: ¦google-30d\n"),
        "these rates are for windows of 30 days; they use another share of the budget of"
        f" availability ({window})",
    )


@pytest.mark.parametrize("window", ["28d", "31d", "{calendar: month}", "{calendar: quarter}"])
def test_rates_made_for_a_month_fit_a_month(window: str) -> None:
    slos = slo("objective: 99%", f"window: {window}", "sli: {bad: a, total: b}")

    assert sound(policy(slos=slos, more="burn_rates: google-30d\n")).service == "chat"


def test_a_class_that_is_new_and_not_described_draws_a_warning() -> None:
    assert_warning(
        policy(more="changes: {¦canari: {}}\n"),
        "'canari' is a new change class; add a description; did you mean 'canary'?",
    )


@pytest.mark.parametrize("who", ["acme", "@", "@acme/", "everybody"])
def test_an_approver_is_a_person_a_team_or_anybody_who_may_write(who: str) -> None:
    assert_mistake(
        policy(more=f"changes: {{canary: {{approved_by: [¦'{who}']}}}}\n"),
        f"{who!r} is not a valid approver; use @person, @organisation/team, or the word write for"
        " everybody with write access",
    )


@pytest.mark.parametrize(
    ("text", "longest", "approvers"),
    [
        ("none", timedelta(0), ()),
        ("{}", timedelta(hours=24), ()),
        ("{max_duration: 2h, approved_by: ['@ada']}", timedelta(hours=2), ("@ada",)),
    ],
)
def test_a_policy_says_who_may_override_it_and_for_how_long(
    text: str, longest: timedelta, approvers: tuple[str, ...]
) -> None:
    rule = sound(policy(more=f"overrides: {text}\n")).overrides

    assert (rule.max_duration, rule.approvers) == (longest, approvers)
