"""A test for each answer that cases.json states."""

import json
from pathlib import Path

import pytest

CASES = json.loads(Path("cases.json").read_text(encoding="utf-8"))


@pytest.fixture
def answer(request):
    """Return the answer of the case, or raise its error as an unreachable provider does."""
    case = request.node.callspec.params["case"]
    if case.get("error"):
        raise RuntimeError(case["error"])
    return case["output"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_answer(case, answer):
    """The answer is the expected one."""
    assert answer == case["answer"]
