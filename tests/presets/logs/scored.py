"""Scores of answers, whoever keeps them: names, values and who gave them."""

from collections.abc import Callable, Sequence
from math import isnan
from typing import Any, NamedTuple


class Score(NamedTuple):
    """One score of one answer."""

    name: str
    value: float | None
    """None or NaN: the judge failed."""
    by: str = "LLM"


NAN = float("nan")
SCORES: tuple[Score, ...] = (
    *(Score("faithfulness", 0.95) for _ in range(40)),
    *(Score("faithfulness", 0.7) for _ in range(5)),  # on the threshold
    *(Score("faithfulness", 0.69) for _ in range(4)),
    *(Score("faithfulness", 0.1, "HUMAN") for _ in range(2)),
    *(Score("faithfulness", 0.95, "HUMAN") for _ in range(3)),
    *(Score("faithfulness", None) for _ in range(3)),
    *(Score("faithfulness", NAN) for _ in range(2)),
    *(Score("hallucination", 0.0) for _ in range(20)),
    *(Score("hallucination", 1.0) for _ in range(6)),
    *(Score("toxicity", 0.02) for _ in range(30)),
    *(Score("toxicity", 0.9) for _ in range(7)),
    *(Score("user-feedback", 1.0, "HUMAN") for _ in range(11)),
    *(Score("user-feedback", 0.0, "HUMAN") for _ in range(8)),
    *(Score("repeats", 0.0, "CODE") for _ in range(25)),
    *(Score("repeats", 1.0, "CODE") for _ in range(3)),
)


def case(
    name: str,
    good: Sequence[float],
    judged: Callable[[Score], bool] = lambda _: True,
    **more: Any,
) -> dict[str, Any]:
    """Return a case: the values that are good are listed, everything else is not."""
    chosen = [score for score in SCORES if score.name == name and judged(score)]
    bad = sum(score.value not in good for score in chosen)
    return {**more, "bad": bad, "total": len(chosen)}


def expected(person: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Return the cases; ``person`` is the option that chooses what people scored."""
    higher, lower = {"better": "higher"}, {"better": "lower"}
    faithful = [0.95, 0.7]
    return {
        "faithfulness": [
            case("faithfulness", faithful, threshold="0.7", options=higher),
            case(
                "faithfulness",
                faithful,
                threshold="0.7",
                options={**higher, "judge_failures": "excluded"},
                judged=lambda score: score.value is not None and not isnan(score.value),
            ),
            case(
                "faithfulness",
                faithful,
                threshold="0.7",
                options={**higher, **person},
                judged=lambda score: score.by == "HUMAN",
            ),
            case(
                "hallucination",
                [0.0],
                threshold="0.5",
                options={**lower, "name": "hallucination"},
            ),
        ],
        "content-safety": [
            case("toxicity", [0.02], threshold="0.5", options={**lower, "name": "toxicity"})
        ],
        "user-reported-errors": [case("user-feedback", [1.0], threshold="1", options=higher)],
        "degenerate-output": [
            case("repeats", [0.0], threshold="0.5", options={**lower, "name": "repeats"})
        ],
    }
