"""Run rules: the patterns that they fire on, and how rarely chance makes them."""

import random
from itertools import count

import pytest

from gate.history.charts.signals import DEFAULT, RULES, RunRule

NAMED = {rule.name: rule for rules in RULES.values() for rule in rules}


def fires(name: str, scores: list[float]) -> bool:
    """Return whether the pattern ends with the last of the scores, and is there no sooner."""
    rule = NAMED[name]
    sooner = any(rule.fires(scores, place) for place in range(len(scores) - 1))
    assert not sooner
    return rule.fires(scores, len(scores) - 1)


@pytest.mark.parametrize(
    ("name", "scores", "fired"),
    [
        ("Western Electric 1", [0, 3.01], True),
        ("Western Electric 1", [0, 3.0], False),
        ("Western Electric 2", [2.1, 0, 2.1], True),
        ("Western Electric 2", [2.1, 0, 0, 2.1], False),
        ("Western Electric 2", [2.1, 1.9, 1.9], False),
        ("Western Electric 3", [1.1, 1.1, 0, 1.1, 1.1], True),
        ("Western Electric 3", [1.1, 0, 1.1, 0, 1.1, 1.1], False),
        ("Western Electric 4", [0.1] * 8, True),
        ("Western Electric 4", [0.1] * 7, False),
        ("Western Electric 4", [0.1] * 4 + [-0.1] + [0.1] * 4, False),
        ("Nelson 1", [3.5], True),
        ("Nelson 2", [0.1] * 9, True),
        ("Nelson 2", [0.1] * 8, False),
        ("Nelson 3", [-3, -2, -1, 0, 1, 2], True),
        ("Nelson 3", [-3, -2, -1, 0, 1], False),
        ("Nelson 3", [-3, -2, -1, -1, 0, 1], False),
        ("Nelson 5", [2.1, -1, 2.1], True),
        ("Nelson 6", [1.1, 1.1, -1, 1.1, 1.1], True),
    ],
)
def test_a_rule_fires_on_its_pattern(name: str, scores: list[float], fired: bool) -> None:
    assert fires(name, scores) is fired


def test_better_values_break_no_rule() -> None:
    better = [-4.0 - place for place in range(10)]

    assert not any(rule.fires(better, place) for rule in NAMED.values() for place in range(10))


def test_the_default_is_one_of_the_sets_and_has_the_limits_alone() -> None:
    assert [rule.name for rule in RULES[DEFAULT]] == ["Western Electric 1"]


def run_length(rng: random.Random, rules: tuple[RunRule, ...]) -> int:
    """Return how many points of a process in control it takes until a rule fires on either side."""
    up: list[float] = []
    down: list[float] = []
    for place in count():
        score = rng.gauss(0, 1)
        up.append(score)
        down.append(-score)
        side = up if score > 0 else down  # these rules end with a point on their side
        if any(rule.fires(side, place) for rule in rules):
            return place + 1
    raise AssertionError


def test_western_electric_rules_raise_a_false_alarm_every_92_points() -> None:
    # C. W. Champ and W. H. Woodall, Exact results for Shewhart control charts with supplementary
    # runs rules, Technometrics 29(4), 1987: 91.75 for rules 1 to 4 together, both sides.
    rng = random.Random(8)
    runs = 250  # benchmarks/anomalies.py has more

    lengths = [run_length(rng, RULES["western-electric"]) for _ in range(runs)]

    assert sum(lengths) / runs == pytest.approx(91.75, rel=3 / runs**0.5)
