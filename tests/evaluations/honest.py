"""The files of real tools in tests/data/evaluations, and what is asked of them."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

from gate.evaluations import EvaluationRun
from gate.evaluations.reading import read_file, read_run

FOLDER = Path(__file__).parent.parent / "data" / "evaluations"


def content(name: str) -> bytes:
    return read_file(FOLDER / name)


def run_of(
    name: str, metric: str | None = "faithfulness", score: Fraction | None = None
) -> EvaluationRun:
    return read_run(content(name), file_name=name, metric=metric, score=score)


def outcomes(run: EvaluationRun) -> dict[str, int]:
    return {outcome.value: rows for outcome, rows in Counter(r.outcome for r in run.rows).items()}
