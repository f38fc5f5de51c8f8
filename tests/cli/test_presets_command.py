"""``gate presets``, ``gate init`` and ``gate schema`` with preset files of the policy's own."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from gate.backends.records import PRESETS, preset_names
from gate.cli.schema import preset_schema
from tests.command import gate
from tests.config.test_own_presets import ERRORS, LOG, NAMED, OURS, put
from tests.config.texts import policy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"presets/our-gateway.yaml": OURS, "gate.yaml": policy(slos=ERRORS) + NAMED}
    return put(tmp_path, files)


def test_presets_of_a_policys_own_are_listed_and_shown(folder: Path) -> None:
    listed = gate("presets", "list", "--policy", "gate.yaml", cwd=folder)
    shown = gate("presets", "show", "our-gateway/errors", "--policy", "gate.yaml", cwd=folder)

    assert listed.exit_code == shown.exit_code == 0
    names = [line.split()[0] for line in listed.stdout.splitlines() if line[:1].strip()]
    assert names[:-1] == ["our-gateway", *preset_names()]
    assert 'sum(increase(acme_requests_total{outcome="error"}[30d]))' in shown.stdout


def test_without_a_policy_the_gates_own_are_listed() -> None:
    assert gate("presets", "list").stdout == gate("presets").stdout


def test_a_policy_may_be_named_beside_a_preset_of_the_gates_own(folder: Path) -> None:
    named = gate("presets", "show", "vllm/errors", "--policy", "gate.yaml", cwd=folder)

    assert named.stdout == gate("presets", "show", "vllm/errors").stdout


def test_a_name_that_no_file_has_is_a_mistake(folder: Path) -> None:
    unknown = gate("presets", "show", "our-gatewai", "--policy", "gate.yaml", cwd=folder)
    alone = gate("presets", "show", "our-gateway", cwd=folder)

    assert (unknown.exit_code, alone.exit_code) == (2, 2)
    assert "there is no preset 'our-gatewai'; did you mean 'our-gateway'?" in unknown.stderr
    assert "there is no preset 'our-gateway'" in alone.stderr


def test_a_file_that_is_wrong_says_where(folder: Path) -> None:
    put(folder, {"presets/our-log.yaml": LOG.replace("title", "titel")})

    listed = gate("presets", "list", "--policy", "gate.yaml", cwd=folder)
    checked = gate("validate", "gate.yaml", cwd=folder)

    assert (listed.exit_code, checked.exit_code) == (2, 2)
    message = "presets/our-log.yaml:1:1: error: unknown key 'titel'; did you mean 'title'?"
    assert message in listed.stderr
    assert message in checked.stdout + checked.stderr


def test_the_file_of_a_preset_is_where_ones_own_begins(tmp_path: Path) -> None:
    done = gate("presets", "file", "vllm")

    assert done.stdout == (PRESETS / "vllm.yaml").read_text(encoding="utf-8")
    files = {"gate.yaml": policy(slos=ERRORS.replace("our-gateway", "our-vllm")) + NAMED}
    put(tmp_path, {**files, "presets/our-vllm.yaml": done.stdout})
    assert gate("validate", "gate.yaml", cwd=tmp_path).exit_code == 0

    unknown = gate("presets", "file", "vlm")
    assert unknown.exit_code == 2
    assert "there is no preset 'vlm'; did you mean 'vllm'?" in unknown.stderr


@pytest.mark.parametrize(
    ("text", "backend"), [(OURS, "type: prometheus"), (LOG, "records: our-server")]
)
def test_init_writes_a_policy_by_a_preset_of_ones_own(
    tmp_path: Path, text: str, backend: str
) -> None:
    put(tmp_path, {"policies/presets/our-server.yaml": text, "policies/logs/a.jsonl": ""})
    asked = ("--presets", "presets/*.yaml", "--server", "our-server")

    done = gate("init", "policies/gate.yaml", *asked, cwd=tmp_path)

    assert done.exit_code == 0, done.stderr
    written = (tmp_path / "policies" / "gate.yaml").read_text()
    assert "presets: presets/*.yaml\n" in written
    assert backend in written
    url = {"PROMETHEUS_URL": "http://127.0.0.1:9090"}
    assert gate("validate", "policies/gate.yaml", cwd=tmp_path, env=url).exit_code == 0


def test_init_knows_no_server_that_has_no_preset(tmp_path: Path) -> None:
    done = gate("init", "gate.yaml", "--server", "vlm", cwd=tmp_path)

    assert done.exit_code == 2
    assert "there is no preset 'vlm'; did you mean 'vllm'?" in done.stderr


def test_the_schema_of_preset_files_is_that_of_the_reader_and_fits_the_gates_own() -> None:
    printed = json.loads(gate("schema", "preset").stdout)

    assert printed == preset_schema()
    validator = jsonschema.Draft202012Validator(printed)
    for text in (OURS, LOG, *(path.read_text("utf-8") for path in PRESETS.glob("*.yaml"))):
        validator.validate(yaml.safe_load(text))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(yaml.safe_load(OURS.replace("title", "titel")))
