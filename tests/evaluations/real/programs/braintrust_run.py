"""An evaluation of Braintrust on the answers that cases.json states."""

import json
from pathlib import Path

from braintrust import Eval

CASES = json.loads(Path("cases.json").read_text(encoding="utf-8"))
STATED = {case["question"]: case for case in CASES}


def task(question):
    """Answer as the case says."""
    return STATED[question]["output"]


def exact(input, output, expected):  # noqa: A002 - the names say what it is given
    """Compare the answers, or raise the error of the case."""
    if STATED[input].get("error"):
        raise RuntimeError(STATED[input]["error"])
    return float(output == expected)


Eval(
    "sums",
    data=[{"input": case["question"], "expected": case["answer"]} for case in CASES],
    task=task,
    scores=[exact],
)
