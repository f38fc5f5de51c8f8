"""What ``gate presets show`` says of options that are free text."""

import subprocess

from tests.cli.installed import command


def test_the_queries_are_shown_with_the_default_of_a_free_text_option() -> None:
    run = command("presets", "show", "evaluations/faithfulness")
    shown = subprocess.run(run, capture_output=True, encoding="utf-8", check=True).stdout

    assert 'llm_eval_results_total{eval="faithfulness",result="fail",$labels}' in shown
