"""The honest runs that doctorings start from: 196 of 200 cases pass, and 95% are asked for."""

from hashlib import sha256
from typing import Any, Final

from tests.evaluations.corpus.scene import Base

BAR: Final[dict[str, Any]] = {"at_least": "95%", "cases": 200}
FRESH: Final[dict[str, Any]] = {**BAR, "max_age": "24h"}
IDS: Final = tuple(f"q-{number:03}" for number in range(1, 201))
DIGEST: Final = sha256("".join(f"{case}\n" for case in IDS).encode()).hexdigest()
"""The output of ``sort -u ids.txt | sha256sum`` for them."""
PINNED: Final = {"cases.txt": "".join(f"{case}\n" for case in IDS)}

PROMPTFOO: Final = Base(
    source="promptfoo/pass.json", requirement={"evaluation": "faithfulness", **FRESH}
)
PROMPTFOO_PINNED: Final = Base(
    source="promptfoo/pass.json",
    requirement={"evaluation": "faithfulness", **FRESH, "case_ids": "cases.txt"},
    files=PINNED,
)
PROMPTFOO_SCORED: Final = Base(
    source="promptfoo/pass.json",
    requirement={"evaluation": "faithfulness", **FRESH, "score": 0.8},
)
PROMPTFOO_DIGEST: Final = Base(
    source="promptfoo/pass.json",
    requirement={"evaluation": "faithfulness", **FRESH, "case_digest": DIGEST},
)
PROMPTFOO_REPEATED: Final = Base(
    source="promptfoo/repeat.json",
    requirement={"evaluation": "faithfulness", **FRESH, "repeats": 2},
)
PROMPTFOO_WITHOUT_NUMBER: Final = Base(
    source="promptfoo/pass.json",
    requirement={"evaluation": "faithfulness", "at_least": "90%", "max_age": "24h"},
)
PROMPTFOO_ALL: Final = Base(
    source="promptfoo/pass.json",
    requirement={"evaluation": "sums", "metric": "all", **FRESH},
)

PROMPTFOO_COMPARED: Final = Base(
    source="promptfoo/pass.json",
    compared="promptfoo/pass.json",
    requirement={"evaluation": "faithfulness", **FRESH, "not_worse_than": "base"},
)

DEEPEVAL: Final = Base(
    source="deepeval/pass.latest_test_run.json",
    target="evals/.latest_test_run.json",
    requirement={"evaluation": "Faithfulness", **FRESH},
    attested=True,
)
DEEPEVAL_SCORED: Final = Base(
    source="deepeval/pass.latest_test_run.json",
    target="evals/.latest_test_run.json",
    requirement={"evaluation": "Faithfulness", **FRESH, "score": 0.5},
    attested=True,
)
DEEPEVAL_ALL: Final = Base(
    source="deepeval/pass.latest_test_run.json",
    target="evals/.latest_test_run.json",
    requirement={"evaluation": "sums", "metric": "all", **FRESH},
    attested=True,
)
DEEPEVAL_ALONE: Final = Base(
    source="deepeval/pass.latest_test_run.json",
    target="evals/.latest_test_run.json",
    requirement={"evaluation": "Faithfulness", **BAR},
)

RAGAS: Final = Base(
    source="ragas/pass.csv",
    target="evals/run.csv",
    requirement={"evaluation": "answers", "metric": "exact_match", **FRESH, "score": 1},
    attested=True,
)
RAGAS_JSON: Final = Base(
    source="ragas/pass.json",
    requirement={"evaluation": "answers", "metric": "exact_match", **FRESH, "score": 1},
    attested=True,
)

INSPECT: Final = Base(source="inspect/pass.json", requirement={"evaluation": "match", **FRESH})
INSPECT_SCORED: Final = Base(
    source="inspect/pass.json", requirement={"evaluation": "match", **FRESH, "score": 0.5}
)
INSPECT_EVAL: Final = Base(
    source="inspect/pass.eval",
    target="evals/run.eval",
    requirement={"evaluation": "match", **FRESH},
)
INSPECT_SMALL: Final = Base(
    source="inspect/small.json",
    requirement={"evaluation": "match", "at_least": "95%", "cases": 10, "max_age": "24h"},
)

LM_EVAL: Final = Base(
    source="lmeval/pass/results_2026-11-28T22-56-06.190442.json",
    target="evals/results_2026-11-28T22-56-06.190442.json",
    requirement={"evaluation": "sums", "metric": "sums/exact_match,none", **FRESH},
)
LM_EVAL_SAMPLES: Final = Base(
    source="lmeval/pass/samples_sums_2026-11-28T22-56-06.190442.jsonl",
    target="evals/samples_sums_2026-11-28T22-56-06.190442.jsonl",
    requirement={"evaluation": "sums", "metric": "exact_match,none", **FRESH, "score": 1},
    attested=True,
)

LM_EVAL_DIGEST: Final = Base(
    source="lmeval/pass/results_2026-11-28T22-56-06.190442.json",
    target="evals/results_2026-11-28T22-56-06.190442.json",
    requirement={
        "evaluation": "sums",
        "metric": "exact_match,none",
        **FRESH,
        "case_digest": "94d3ddcece52ada755d8cff19a4c1795dc417840dbf1582b9ada7be5c6a1d9e3",
    },
)

EVIDENTLY: Final = Base(
    source="evidently/pass.json",
    requirement={"evaluation": "faithfulness", "metric": "passed", **FRESH},
    attested=True,
)
EVIDENTLY_SNAPSHOT: Final = Base(
    source="evidently/pass.snapshot.json",
    requirement={"evaluation": "faithfulness", "metric": "passed", **FRESH},
    attested=True,
)

JUNIT: Final = Base(
    source="junit/pass.xml",
    target="evals/junit.xml",
    requirement={"evaluation": "test_faithfulness", "metric": "all", **FRESH},
    attested=True,
)
JUNIT_SCORED: Final = Base(
    source="junit/pass.xml",
    target="evals/junit.xml",
    requirement={"evaluation": "faithfulness", **FRESH, "score": 1},
    attested=True,
)
JUNIT_SMALL: Final = Base(
    source="junit/small.xml",
    target="evals/junit.xml",
    requirement={
        "evaluation": "test_faithfulness",
        "metric": "all",
        "at_least": "95%",
        "cases": 10,
        "max_age": "24h",
    },
    attested=True,
)
