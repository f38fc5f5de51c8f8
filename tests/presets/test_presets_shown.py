"""What ``gate presets show`` says of options that are free text."""

from tests.command import gate


def test_the_queries_are_shown_with_the_default_of_a_free_text_option() -> None:
    query = 'llm_eval_results_total{eval="faithfulness",result="fail",$labels}'
    assert query in shown("evaluations/faithfulness")


def shown(name: str) -> str:
    done = gate("presets", "show", name)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_an_option_without_a_default_is_said_to_be_needed() -> None:
    text = shown("langfuse-scores/faithfulness")

    assert (
        "sli: {preset: langfuse-scores/faithfulness, threshold: 0.7, options: {better: ...}}"
        in text
    )
    assert "higher | lower; must be given: whether a good answer has" in text
    assert "value $better $threshold" in text


def test_a_preset_for_logs_says_how_the_backend_names_its_rows() -> None:
    assert "backend: {type: logs, path: ..., records: litellm-payload}" in shown("litellm-payload")


def test_a_column_is_shown_with_what_is_good() -> None:
    text = shown("litellm-payload/cost-per-query")

    assert "column      response_cost" in text
    assert "good        at most the threshold" in text
