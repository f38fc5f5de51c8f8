"""The output of ``gate presets show``: the queries that are sent, each of which can be pasted."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from gate.backends.preset_records import shipped_records
from gate.config.presets import load_preset, measurable
from gate.promql.expression import read_expression
from tests.command import gate
from tests.config.texts import policy, read, slo
from tests.servers.processes import binary

ROLES = ("bad", "good", "total", "spent", "gauge", "objective")


def test_the_queries_are_shown_with_the_default_of_a_free_text_option() -> None:
    query = 'sum(increase(llm_eval_results_total{eval="faithfulness",result="fail"}[30d]))'
    assert query in shown("evaluations/faithfulness")


def shown(name: str) -> str:
    done = gate("presets", "show", name)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def queries(name: str) -> list[str]:
    """Return what is printed behind the name of a role."""
    rows = (line.split(maxsplit=1) for line in shown(name).splitlines() if line.startswith("  "))
    return [row[1] for row in rows if row[0] in ROLES]


NAMES = [name for name, preset, _ in measurable() if preset.backend == "prometheus"]


@pytest.mark.variants(28)
@pytest.mark.parametrize("name", NAMES)
def test_every_query_that_is_shown_is_whole(name: str) -> None:
    printed = queries(name)

    assert printed
    for query in printed:
        assert "$" not in query
        assert read_expression(query, None, gauge=True).over("") == query, "is read as it stands"


@pytest.mark.real
def test_prometheus_parses_every_query_that_is_shown(tmp_path: Path) -> None:
    rules = [
        {"record": f"shown:{place}", "expr": query}
        for place, query in enumerate(query for name in NAMES for query in queries(name))
    ]
    assert len(rules) > 150
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]}))

    checked = subprocess.run(
        [binary("promtool"), "check", "rules", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_threshold_is_shown_as_the_boundary_that_is_requested() -> None:
    # 10 s, however the server writes it.
    assert queries("vllm/latency") == [
        r'sum(increase(vllm:e2e_request_latency_seconds_bucket{le=~"10|10\\.0"}[30d]))',
        "sum(increase(vllm:e2e_request_latency_seconds_count[30d]))",
    ]
    assert "round(endTime - startTime, 6) <= 10" in queries("litellm-payload/latency")


def test_an_option_without_a_default_is_reported_to_be_needed() -> None:
    text = shown("langfuse-scores/faithfulness")

    assert (
        "sli: {preset: langfuse-scores/faithfulness, threshold: 0.7, options: {better: higher}}"
        in text
    )
    assert "higher | lower; must be given: whether a good answer has" in text
    assert "value >= 0.7" in text


def test_a_preset_of_rows_says_how_the_backend_names_them() -> None:
    assert "backend: {type: logs, path: ..., records: litellm-payload}" in shown("litellm-payload")


_PLACES = {
    "logs": "a.jsonl",
    "clickhouse": "http://clickhouse:8123",
    "postgres": "postgresql://gate@host/db",
}


@pytest.mark.parametrize("name", sorted(shipped_records()))
def test_the_block_that_is_shown_for_rows_is_what_a_policy_needs(name: str) -> None:
    preset = load_preset(name)
    (block,) = re.findall(r"^  backend: \{(.*)\}$", shown(name), re.MULTILINE)
    block = block.replace("...", f'"{_PLACES[preset.backend]}"')
    kind = next(kind for kind, own in preset.indicators.items() if own.families)
    (sli,) = re.findall(r"^  (sli: \{.*\})$", shown(f"{name}/{kind}"), re.MULTILINE)

    text = policy(backend=f"backend: {{{block}}}\n", slos=slo("objective: 99%", "window: 7d", sli))

    assert read(text)[1] == []


def test_a_column_is_shown_with_what_is_good() -> None:
    text = shown("langfuse-observations/cost-per-query")

    assert "column      total_cost" in text
    assert "is good     at most the threshold" in text
