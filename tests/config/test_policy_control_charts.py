"""The settings of control charts in a policy file."""

from datetime import timedelta
from pathlib import Path

import pytest

from gate.policy.changes import REPAIRS
from gate.policy.rule_settings import ControlChartRule, Effect
from tests.config.texts import assert_mistake, assert_warning, policy, read, sound

DAY = timedelta(days=1)


def charts(value: str) -> str:
    return policy(more=f"control_charts: {value}\n")


@pytest.mark.parametrize("effect", Effect)
def test_a_word_is_enough(effect: Effect) -> None:
    rule = sound(charts(effect)).control_charts

    assert rule is not None
    assert rule == ControlChartRule(effect=effect)
    assert (rule.last, rule.step, rule.baseline, rule.signal_ttl) == (
        14 * DAY,
        DAY / 24,
        7 * DAY,
        DAY,
    )
    assert rule.allow == REPAIRS


def test_a_block_says_the_rest() -> None:
    text = "{effect: block, last: 28d, step: 2h, baseline: 20d, signal_ttl: 6h, allow: [canary]}"

    assert sound(charts(text)).control_charts == ControlChartRule(
        effect=Effect.BLOCK,
        last=28 * DAY,
        step=DAY / 12,
        baseline=20 * DAY,
        signal_ttl=DAY / 4,
        allow=frozenset({"canary"}),
    )


def test_the_baseline_is_the_first_half_of_what_is_examined() -> None:
    rule = sound(charts("{last: 28d}")).control_charts

    assert rule is not None
    assert rule.baseline == 14 * DAY


def test_a_policy_without_it_does_not_look_back() -> None:
    assert sound(policy()).control_charts is None
    assert not sound(policy()).looks_back
    assert sound(charts("warn")).looks_back


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("¦warm", "'warm' is not a valid value; did you mean 'warn'?"),
        ("{effect: ¦stop}", "'stop' is not a valid value; write block or warn"),
        ("{¦stepp: 1h}", "unknown key 'stepp'; did you mean 'step'?"),
        ("{last: 1h, step: ¦2h}", "step must not be longer than last"),
        (
            "{last: 7d, baseline: ¦7d}",
            "baseline must be shorter than last, so that something is left to judge",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(value: str, message: str) -> None:
    assert_mistake(charts(value), message)


def test_classes_that_there_are_not_are_found() -> None:
    text = policy(more="control_charts: {allow: [¦cannary]}\n")

    assert_mistake(text, "'cannary' is not a change class; did you mean 'canary'?")


def test_a_backend_without_a_history_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").write_text("counts: {}\n", encoding="utf-8")
    text = policy(
        backend="backend: {type: static, path: counts.yaml}\n",
        slos="slos:\n  - {name: a, objective: 99%, window: 30d, sli: {series: a}}\n",
        more="control_charts: warn\n",
    )

    _, (mistake,) = read(text, folder=tmp_path)

    says = (
        "control_charts needs a history, which the static backend does not keep: every check will"
        " be undecided; remove it"
    )
    assert mistake.endswith(f"warning: {says}")


def test_slos_of_which_no_chart_can_be_drawn_are_warned_of() -> None:
    text = policy(
        slos="slos:\n  - {name: cost, allowance: 5 USD, window: 30d, sli: {spent: cost}}\n",
        more="control_charts: ¦warn\n",
    )

    assert_warning(
        text,
        (
            "control_charts has no effect: no SLO here has a ratio; remove it, or add an SLO"
            " with an objective"
        ),
    )
