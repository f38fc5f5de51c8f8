"""Runs an evaluation of DeepEval on the answers that cases.json states."""

import json
import sys
from pathlib import Path

from deepeval import evaluate
from deepeval.evaluate.configs import AsyncConfig, DisplayConfig, ErrorConfig
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase

CASES = json.loads(Path("cases.json").read_text(encoding="utf-8"))
ERRORS = {case["question"]: case["error"] for case in CASES if case.get("error")}


class Exact(BaseMetric):
    """Whether the answer is the expected one."""

    threshold = 0.5
    async_mode = False

    @property
    def __name__(self):
        return "Exact"

    def measure(self, test_case, *_args, **_kwargs):
        """Compare the answers."""
        if test_case.input in ERRORS:
            raise RuntimeError(ERRORS[test_case.input])
        self.score = float(test_case.actual_output == test_case.expected_output)
        self.success = self.score >= self.threshold
        self.reason = ""
        return self.score

    async def a_measure(self, test_case, *_args, **_kwargs):
        """Compare the answers."""
        return self.measure(test_case)

    def is_successful(self):
        """Return whether the answer was the expected one."""
        return bool(self.success)


evaluate(
    [
        LLMTestCase(
            name=case["id"],
            input=case["question"],
            actual_output=case.get("output") or "",
            expected_output=case["answer"],
        )
        for case in CASES
    ],
    [Exact()],
    hyperparameters={"git_sha": sys.argv[1]},
    error_config=ErrorConfig(ignore_errors=True),
    async_config=AsyncConfig(run_async=False),
    display_config=DisplayConfig(show_indicator=False, print_results=False),
)
