"""Runs an evaluation of Ragas on the answers that cases.json states: a table and records."""

import json
from pathlib import Path

from ragas import EvaluationDataset, evaluate
from ragas.metrics import ExactMatch

CASES = json.loads(Path("cases.json").read_text(encoding="utf-8"))
ERRORS = {case["answer"]: case["error"] for case in CASES if case.get("error")}


class Stated(ExactMatch):
    """Compares the answers, or raises the error of the case."""

    async def _single_turn_ascore(self, sample, callbacks):
        if sample.reference in ERRORS:
            raise RuntimeError(ERRORS[sample.reference])
        return await super()._single_turn_ascore(sample, callbacks)


dataset = EvaluationDataset.from_list(
    [
        {
            "user_input": case["question"],
            "response": case["output"] or "",
            "reference": case["answer"],
        }
        for case in CASES
    ]
)
frame = evaluate(dataset, [Stated()], show_progress=False).to_pandas()
frame.to_csv("run.csv", index=False)
frame.to_json("run.json", orient="records")
