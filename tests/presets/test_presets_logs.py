"""Every preset for logs on files of its shape, through the command.

The counts are those of the requests themselves, by plain Python, in tests/presets/logs.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.backends import open_backend
from gate.backends.logs import prepare
from gate.backends.logs.database import Database
from gate.backends.logs.expressions import parse
from gate.backends.preset_records import shipped_records
from gate.backends.records import FILES, Records
from gate.backends.sql.constants import SqlExpression
from gate.config.load import load
from gate.config.presets import load_preset
from gate.measure import CountRequest, Counts, Limits, Spent
from gate.slo.objective import RatioSlo, Span, SpendSlo
from tests.backends.logs.written import write, write_parquet
from tests.command import gate
from tests.presets.logs.entries import AT

pytestmark = [pytest.mark.real, pytest.mark.slow]
EVERY_RUN = {"helicone", "nginx", "otlp-spans"}
"""The formats of which all columns are tried; the others are many and alike."""

NAMES = [name for name, records in shipped_records().items() if records.backend == FILES]

PARSED: dict[tuple[str, str], SqlExpression] = {}
"""By role and text."""

Cases = dict[str, list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _parse_each_expression_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask DuckDB only once to parse a preset's expression, which does not depend on the rows."""

    def parse_once(database: Database, role: str, text: str) -> SqlExpression:
        if (role, text) not in PARSED:
            PARSED[role, text] = parse(database, role, text)
        return PARSED[role, text]

    monkeypatch.setattr(prepare, "parse", parse_once)


def module(name: str) -> Any:
    return import_module(f"tests.presets.logs.{name.replace('-', '_')}")


SHAPES = [
    pytest.param(name, form, marks=[pytest.mark.slow] if place else [])
    for name in NAMES
    for place, form in enumerate(module(name).FORMS)
]
"""Presets with the formats of their files: ``make test`` has the first format of each."""


def write_log(folder: Path, name: str, form: str) -> Path:
    """Write the rows as this format is written."""
    shape = module(name)
    rows = shape.rows()
    if form == "csv":
        rows = [
            {key: json.dumps(v) if isinstance(v, dict | list) else v for key, v in row.items()}
            for row in rows
        ]
    path = folder / f"log.{form}"
    if form == "parquet":
        return write_parquet(path, rows, shape.TYPES)
    return write(path, rows)


def write_policy(folder: Path, name: str, log: str, cases: Cases, **more: Any) -> Path:
    """Write a policy with every case as an SLO, named by its kind and place."""
    slos = [
        {
            "name": f"{kind}/{place}",
            **({"allowance": "1e9"} if "spent" in says else {"objective": "95%"}),
            "window": "1d",
            "sli": {
                "preset": f"{name}/{kind}",
                **{key: says[key] for key in ("threshold", "options") if key in says},
            },
        }
        for kind, several in cases.items()
        for place, says in enumerate(several)
    ]
    document = {
        "version": 1,
        "service": "chat",
        "backend": {"type": "logs", "path": log, "records": name, **more},
        "slos": slos,
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
        # The rows are those of 48 minutes, and one of two days ago must not count.
        "on": {"mostly_uncovered": "warn"},
    }
    path = folder / "gate.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def measure(policy: Path, environ: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Return what the command measures, by the SLO's name."""
    words = ("status", str(policy), "--at", AT.isoformat(), "--format", "json")
    done = gate(*words, env=environ or {})
    assert done.exit_code == 0, done.stdout + done.stderr
    return {slo["name"]: slo for slo in json.loads(done.stdout)["policies"][0]["slos"]}


def numbers(slo: dict[str, Any], says: dict[str, Any]) -> dict[str, float]:
    roles = ("spent",) if "spent" in says else ("bad", "total")
    assert slo.get("cause") is None, slo
    return {role: float(Fraction(str(slo[role]))) for role in roles}


@pytest.mark.variants(8)
@pytest.mark.parametrize(("name", "form"), SHAPES)
def test_a_preset_counts_what_the_log_says(tmp_path: Path, name: str, form: str) -> None:
    cases: Cases = module(name).EXPECTED
    write_log(tmp_path, name, form)

    measured = measure(write_policy(tmp_path, name, f"log.{form}", cases))

    for kind, several in cases.items():
        for place, says in enumerate(several):
            counted = numbers(measured[f"{kind}/{place}"], says)
            assert counted == pytest.approx({role: says[role] for role in counted}), (kind, says)


@pytest.mark.parametrize("name", NAMES)
def test_every_indicator_that_can_be_measured_has_its_cases(name: str) -> None:
    indicators = load_preset(name).indicators
    cases: Cases = module(name).EXPECTED

    assert {kind for kind, one in indicators.items() if one.families} == cases.keys()
    assert all(len(one.families) < 2 for one in indicators.values()), "logs have no older names"
    for kind, several in cases.items():
        assert all(says["total"] > says["bad"] > 0 for says in several if "total" in says), kind


def measured_here(policy: Path) -> dict[str, Fraction]:
    """Return the bad share, or the amount, of what can be measured, by the SLO's name."""
    loaded = load(str(policy), {})
    slos = [slo for slo in loaded.policy.slos if isinstance(slo, RatioSlo | SpendSlo)]
    span = Span(AT - timedelta(days=1), AT)
    backend = open_backend(loaded.settings, Limits(timeout=timedelta(minutes=1)))
    answers = backend.measure([CountRequest(sli=slo.sli, span=span) for slo in slos], AT)
    return {
        slo.name: answer.amount if isinstance(answer, Spent) else answer.bad / answer.total
        for slo, answer in zip(slos, answers, strict=True)
        if isinstance(answer, Counts | Spent)
    }


def known(name: str) -> Records:
    records = load_preset(name).records
    assert records is not None
    return records


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in EVERY_RUN else pytest.mark.slow) for name in NAMES],
)
def test_a_column_that_is_missing_never_makes_it_look_better(tmp_path: Path, name: str) -> None:
    policy = write_policy(tmp_path, name, "log.jsonl", module(name).EXPECTED)
    log = write_log(tmp_path, name, "jsonl")
    lines, whole = log.read_text(encoding="utf-8").splitlines(), measured_here(policy)
    assert len(whole) == sum(map(len, module(name).EXPECTED.values()))

    for column in known(name).columns:
        log.write_text("".join(map(without(column), lines)), encoding="utf-8")
        now = measured_here(policy)

        assert [slo for slo, share in now.items() if share < whole[slo]] == [], column
        if column not in known(name).optional and not known(name).unnest:
            assert now.keys() < whole.keys(), f"what needs {column} is not measured"


def without(column: str) -> Callable[[str], str]:
    """Return what leaves a key out of a line, however deep it stands."""

    def pruned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: pruned(inner) for key, inner in value.items() if key != column}
        return [pruned(inner) for inner in value] if isinstance(value, list) else value

    return lambda line: json.dumps(pruned(json.loads(line))) + "\n"


@pytest.mark.crossed
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", "{}\n", '{"ts": "2026-10-31T11:59:00Z", "status": 200}\n'])
def test_a_log_of_another_format_is_not_measured(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "log.jsonl").write_text(text)

    policy = write_policy(tmp_path, name, "log.jsonl", module(name).EXPECTED)

    assert measured_here(policy) == {}


ALIKE = {
    "nginx": '127.0.0.1 - - [31/Oct/2026:11:59:00 +0000] "POST /v1/completions HTTP/1.1" 500 1',
    "envoy": '[2026-10-31T11:59:00.000Z] "POST /v1/completions HTTP/1.1" 503 UF 0 91 5 - "-"',
    "langfuse-observations": '{"id": "a", "startTime": "2026-10-31T11:59:00Z", "level": "ERROR"}',
    "helicone": '{"request_id": "a", "request_created_at": "2026-10-31T11:59:00Z", "code": 500}',
    "phoenix-annotations": '{"annotation_name": "a", "created_at": "2026-10-31T11:59:00Z"}',
    "otlp-spans": '\x00\x00\x00\x15{"resourceSpans": [{}]}',
    "otel-spans": '{"Timestamp": "2026-10-31 11:59:00", "Duration": 1, "StatusCode": "Error",'
    ' "SpanAttributes": {"gen_ai": {"operation": {"name": "chat"}}}}',
}
"""Other forms of the same data, which are not read: text formats, HTTP APIs, data frames."""


@pytest.mark.parametrize("name", ALIKE)
def test_another_form_of_the_same_data_is_not_measured(tmp_path: Path, name: str) -> None:
    (tmp_path / "log.jsonl").write_text(ALIKE[name] + "\n")

    assert measured_here(write_policy(tmp_path, name, "log.jsonl", module(name).EXPECTED)) == {}
