"""The recording rules that ``gate export prometheus-rules`` writes, and by which they are found.

A rule records the events of the last `SLICE`, every `EVERY`. The slices overlap, so that each event
is in several of them: what one slice misses at its edges, where increase() extrapolates, the next
one has. Over a window their sum, times `EVERY` / `SLICE`, is the number of its events.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final

from gate.promql.expression import Expression
from gate.promql.selectors import matchers

SLICE: Final = timedelta(minutes=5)
EVERY: Final = timedelta(minutes=1)
FINGERPRINT: Final = "gate_expr"
"""The label that says which expression a rule has recorded."""
_SLICE_TEXT: Final = "5m"
_DIGITS: Final = 16


def rule_name(role: str) -> str:
    """Return the name of what is recorded: ``gate:sli_bad:increase5m``."""
    return f"gate:sli_{role}:increase{_SLICE_TEXT}"


def fingerprint(expression: str) -> str:
    """Return a short hash of what a rule evaluates."""
    return sha256(expression.encode()).hexdigest()[:_DIGITS]


def rule_expressions(
    expressions: Mapping[str, Expression], lacking: Sequence[str] = ()
) -> dict[str, str]:
    """Return what the rules of an indicator evaluate, by role.

    Nothing where slices do not add up to the window. Beside a total, no bad events are 0, so that
    a rule that is there has a sample for every evaluation. Good events are not recorded while a
    histogram lacks the boundary that they are counted by.

    Args:
        expressions: by role.
        lacking: each counts, over ``$window``, the histograms that lack a boundary.
    """
    if not all(map(_adds_up, expressions.values())):
        return {}
    rules = {role: expression.over(_SLICE_TEXT) for role, expression in expressions.items()}
    every = rules.get("total", rules.get("good", ""))
    if "bad" in rules:
        rules["bad"] = f"({rules['bad']}) or on () (0 * ({every}))"
    for text in lacking:
        missing = text.replace("$window", _SLICE_TEXT)
        rules["good"] = f"({rules['good']}) unless on () ({missing})"
    return rules


def _adds_up(expression: Expression) -> bool:
    # Both ends of a range belong to it before Prometheus 3: of scrapes a minute apart, a sum over
    # five minutes has six. increase() is that of the time between them.
    return expression.additive and "_over_time" not in expression.over(_SLICE_TEXT)


def events(role: str, expression: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Return the text around the window of a query for the events that a rule has recorded."""
    selector = matchers({**labels, FINGERPRINT: fingerprint(expression)})
    return f"sum_over_time({rule_name(role)}{{{selector}}}[", f"]) / {SLICE // EVERY}"
