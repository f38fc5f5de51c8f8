"""Presets in a policy: what they become, and what is said when one cannot be used."""

from fractions import Fraction

import pytest

from gate.slo.indicator import Bucket, Sli
from tests.config.texts import assert_mistake, only_ratio, policy, read, slo

OBJECTIVE = "objective: 99%"
WINDOW = "window: 30d"
LOGS = "backend: {type: logs, path: a, timestamp: ts}\n"


def written(sli: str) -> str:
    return policy(slos=slo(OBJECTIVE, WINDOW, f"sli: {sli}"))


def indicator(sli: str) -> Sli:
    return only_ratio(OBJECTIVE, WINDOW, f"sli: {sli}").sli


def test_a_preset_is_its_servers_expressions_with_the_labels_of_the_policy() -> None:
    found = indicator("{preset: vllm/inference-failures, labels: {model_name: a}}")

    assert found == Sli(
        bad='vllm:request_success_total{finished_reason="error",$labels}',
        total="vllm:request_success_total{$labels}",
        labels={"model_name": "a"},
        preset="vllm/inference-failures",
        some_failures=True,
    )


def test_only_the_errors_of_a_preset_are_all_failures() -> None:
    every = indicator("{preset: vllm/errors}")
    engine = indicator("{preset: vllm-router/inference-failures}")

    assert not any(name.some_failures for name in (every, *every.older))
    assert all(name.some_failures for name in (engine, *engine.older))


def test_a_threshold_is_given_as_a_duration_and_kept_in_the_servers_unit() -> None:
    found = indicator("{preset: vllm/time-to-first-token, threshold: 250ms, bucket: laxer}")

    assert found.histogram is not None
    assert found.histogram.threshold == Fraction(1, 4)
    assert found.histogram.bucket is Bucket.LAXER
    assert found.histogram.good == "vllm:time_to_first_token_seconds{$labels}"
    assert found.histogram.advice is not None


def test_older_names_come_after_the_newest() -> None:
    found = indicator("{preset: vllm/inter-token-latency, threshold: 100ms}")

    names = [one.histogram.good.partition("{")[0] for one in (found, *found.older) if one.histogram]
    assert names == [
        "vllm:inter_token_latency_seconds",
        "vllm:time_per_output_token_seconds",
    ]


def test_hallucination_is_another_word_for_faithfulness() -> None:
    assert_mistake(
        written("{preset: ¦vllm/hallucination}"),
        "vLLM has no signal for faithfulness: vLLM judges no answers; let the evaluation job count"
        " its verdicts in llm_eval_results_total (preset evaluations/faithfulness)",
    )


@pytest.mark.parametrize(
    ("sli", "message"),
    [
        ("{preset: ¦vlm/errors}", "there is no preset 'vlm'; did you mean 'vllm'?"),
        ("{preset: ¦vllm/erors}", "vllm has no indicator 'erors'; did you mean 'errors'?"),
        (
            "{preset: vllm/errors, total: ¦x}",
            "'total' does not go with a preset; remove it",
        ),
        (
            "¦{preset: vllm/time-to-first-token}",
            "the key 'threshold' is missing; add for example threshold: 2.5s",
        ),
        (
            "{preset: vllm/errors, threshold: ¦2s}",
            "vllm/errors does not take a threshold; remove it",
        ),
        (
            "{preset: vllm/time-to-first-token, threshold: ¦2.5}",
            "2.5 has no unit; write a duration such as 2.5s or 2.5ms",
        ),
        (
            "{preset: vllm/errors, bucket: ¦laxer}",
            "vllm/errors is not a histogram and has no buckets; remove 'bucket'",
        ),
        (
            "{preset: vllm/errors, options: ¦{clients: bad}}",
            "vllm/errors: no option 'clients'; did you mean 'client_errors'?",
        ),
        (
            "{preset: vllm/errors, options: ¦{client_errors: excludd}}",
            (
                "vllm/errors: the option 'client_errors' cannot be 'excludd'; did you mean"
                " 'excluded'?"
            ),
        ),
        (
            "{preset: vllm/degenerate-output, options: ¦{clients: bad}}",
            "vllm/degenerate-output: no option 'clients': it has no options",
        ),
        (
            "¦{preset: vllm/availability}",
            "the label 'job' is missing; add labels: {job: ...}",
        ),
        (
            "{preset: vllm/availability, labels: ¦{pod: a}}",
            "the label 'job' is missing; add labels: {job: ...}",
        ),
    ],
)
def test_what_is_wrong_about_a_preset_is_reported_at_its_place(sli: str, message: str) -> None:
    assert_mistake(written(sli), message)


def test_several_mistakes_about_a_preset_are_reported_together() -> None:
    _, mistakes = read(written("{preset: vllm/availability, threshold: 2s, options: {a: b}}"))

    assert len(mistakes) == 3


def test_a_preset_is_for_the_backend_that_it_is_written_for() -> None:
    text = policy(backend=LOGS, slos=slo(OBJECTIVE, WINDOW, "sli: {preset: vllm/errors}"))

    assert_mistake(
        text.replace("- name", "- ¦name"),
        (
            "availability: the preset vllm/errors is for the prometheus backend, and"
            " backend.type is logs"
        ),
    )


@pytest.mark.parametrize(
    ("sli", "warned"),
    [
        ("threshold: 2s", "the next stricter is 1s, the next laxer is 2.5s"),
        ("threshold: 3000s", "the next stricter is 2560s"),
        ("threshold: 2s, bucket: stricter", None),
        ("threshold: 2.5s", None),
    ],
)
def test_offline_a_threshold_that_is_not_a_boundary_by_default_is_doubted(
    sli: str, warned: str | None
) -> None:
    text = written(f"{{preset: vllm/time-to-first-token, {sli}}}")

    assert read(text)[1] == []
    _, mistakes = read(text, offline=True)
    said = f"by default vLLM has no histogram bucket up to this threshold; {warned}"
    assert [mistake.partition("warning: ")[2] for mistake in mistakes] == ([said] if warned else [])
