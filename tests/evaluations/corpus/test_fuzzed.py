"""Random changes of runs in which every fourth case failed: none is accepted or crashes.

There are 640 of them, and 2,000 in `make test-all`.
"""

from pathlib import Path
from random import Random

import pytest

from tests.amounts import repeats
from tests.evaluations.corpus.bases import (
    DEEPEVAL,
    EVIDENTLY,
    INSPECT,
    JUNIT,
    LM_EVAL,
    PROMPTFOO,
    RAGAS,
    RAGAS_JSON,
)
from tests.evaluations.corpus.mutations import mutate
from tests.evaluations.corpus.scene import Base, Scene

pytestmark = pytest.mark.slow

REFUSED = {3, 10}
MUTATIONS = repeats(80, explored=250)
"""For each of eight files: a fault that 1 of 25 changes meets escapes 80 with a chance of 4%."""
FAILED = {
    "promptfoo/fail.json": PROMPTFOO,
    "deepeval/fail.latest_test_run.json": DEEPEVAL,
    "ragas/fail.csv": RAGAS,
    "ragas/fail.json": RAGAS_JSON,
    "inspect/fail.json": INSPECT,
    "lmeval/fail/results_2026-11-28T22-56-39.755039.json": LM_EVAL,
    "evidently/fail.json": EVIDENTLY,
    "junit/fail.xml": JUNIT,
}
"""Files in which 150 of 200 cases passed, and a run whose requirement asks for 95%."""


@pytest.mark.parametrize(("source", "base"), FAILED.items(), ids=list(FAILED))
def test_no_random_change_makes_a_failed_run_pass(source: str, base: Base, tmp_path: Path) -> None:
    scene = Scene.begin(tmp_path / "repository", base)
    original = scene.honest(source)

    for seed in range(MUTATIONS):
        scene.write(mutate(original, Random(seed)))
        if base.attested:
            scene.sign()

        result = scene.check()

        assert result.exit_code in REFUSED, (seed, result.stdout, result.stderr)
        assert "Traceback" not in result.stderr, (seed, result.stderr)
