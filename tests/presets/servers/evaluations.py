"""The counters of an evaluation job and of an application, by the convention of the preset."""

from tests.presets.exposition import Page, as_python

VERDICTS = {
    "faithfulness": {"pass": 47, "fail": 3, "error": 2},
    "groundedness.v2": {"pass": 29, "fail": 8, "error": 1},
    "content-safety": {"pass": 60, "fail": 1, "error": 5},
    "degenerate-output": {"pass": 71, "fail": 6},
}
DRIFT = {"embedding": 0.12, "topics": 0.35}
RATINGS = {"up": 23, "down": 4, "none": 113}


def page() -> Page:
    """Return what they count in one minute."""
    page = Page(format=as_python, common={"service": "chat"})
    for name, results in VERDICTS.items():
        for result, times in results.items():
            page.add("llm_eval_results_total", times, eval=name, result=result)
    for rating, times in RATINGS.items():
        page.add("llm_feedback_total", times, rating=rating)
    for name, score in DRIFT.items():
        page.add("llm_drift_score", score, name=name)
    return page


EXPECTED: dict[str, list[dict[str, object]]] = {
    "faithfulness": [
        {"bad": 3, "total": 47 + 3},
        {"options": {"judge_errors": "bad"}, "bad": 3 + 2, "total": 47 + 3 + 2},
        {
            "labels": {"service": "chat"},
            "options": {"eval": "groundedness.v2"},
            "bad": 8,
            "total": 29 + 8,
        },
    ],
    "content-safety": [
        {"bad": 1, "total": 60 + 1},
        {"options": {"judge_errors": "bad"}, "bad": 1 + 5, "total": 60 + 1 + 5},
    ],
    "degenerate-output": [{"bad": 6, "total": 71 + 6}],
    "user-reported-errors": [
        {"bad": 4, "total": 23 + 4},
        {"options": {"out_of": "answers"}, "bad": 4, "total": 23 + 4 + 113},
    ],
    # Slices of a minute.
    "drift": [
        {"threshold": "0.2", "bad": 0, "total": 1},
        {"threshold": "0.2", "options": {"name": "topics"}, "bad": 1, "total": 1},
    ],
}
