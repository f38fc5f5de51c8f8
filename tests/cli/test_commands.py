"""The commands beside their exit codes: what they write and where."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from gate import __version__
from gate.backends import BACKENDS
from gate.backends.records import preset_names
from gate.cli.main import COMMANDS, cli, main
from gate.cli.schema import SCHEMAS
from gate.errors import ExitCode
from tests.cli.installed import AT, POLICY, command
from tests.command import Run, environment

WritePolicy = Callable[..., Path]


def test_every_copy_is_written_in_its_format_beside_the_report(
    gate: Run, write_policy: WritePolicy, tmp_path: Path
) -> None:
    copies = ("--write", "json=decision.json", "--write", "markdown=comment.md")

    done = gate("check", str(write_policy()), "--change", "canary", "--at", AT, *copies)

    schema = json.loads(files("gate").joinpath("schemas/decision.schema.json").read_text())
    decision = json.loads((tmp_path / "decision.json").read_text())
    jsonschema.validate(decision, schema)
    assert decision["evaluated_at"] == AT
    assert decision["policies"][0]["slos"][0]["remaining"] == 0.9
    assert (tmp_path / "comment.md").read_text().startswith("#")
    assert done.stdout.count("ALLOW") >= 1


def test_without_at_the_instant_is_now(gate: Run, write_policy: WritePolicy) -> None:
    before = datetime.now(UTC).replace(microsecond=0)

    done = gate("check", str(write_policy()), "--format", "json")

    at = datetime.fromisoformat(json.loads(done.stdout)["evaluated_at"])
    assert before <= at <= datetime.now(UTC)


def test_without_change_the_policys_default_counts(gate: Run, write_policy: WritePolicy) -> None:
    path = write_policy(text=POLICY + "changes: {default: model-update}\n")

    decision = json.loads(gate("check", str(path), "--at", AT, "--format", "json").stdout)

    assert decision["change_class"] == "model-update"
    assert decision["policies"][0]["recognised_by"] == "default"


def test_the_impact_is_taken_as_spent(gate: Run, write_policy: WritePolicy) -> None:
    """1e6 events in 30 d are 0.385802 a second; all fail for 600 s: 231.48 of 1,000 bad events."""
    arguments = ("check", str(write_policy(bad=400)), "--change", "model-update", "--at", AT)

    calm = gate(*arguments, "--format", "json")
    risky = gate(*arguments, "--format", "json", "--impact", "failures=100%,detect=10m")

    assert (calm.exit_code, risky.exit_code) == (0, 10)
    slo = json.loads(risky.stdout)["policies"][0]["slos"][0]
    assert slo["impact"]["cost"] == pytest.approx(0.231481, rel=1e-5)
    assert slo["compared"] == pytest.approx(0.6 - 0.231481, rel=1e-5)
    assert json.loads(calm.stdout)["policies"][0]["slos"][0]["impact"]["stated"] is False


def test_the_largest_canary_is_what_the_rest_can_pay_for(
    gate: Run, write_policy: WritePolicy
) -> None:
    """50 bad events are left; all traffic failing for 5 m makes 115.74: 43.2% can be paid."""
    path = write_policy(bad=950)

    decision = json.loads(gate("check", str(path), "--at", AT, "--format", "json").stdout)

    largest = decision["policies"][0]["slos"][0]["impact"]["largest_canary"]
    assert largest == pytest.approx(50 / (1e6 / 2_592_000 * 300), rel=1e-9)


def test_the_source_names_revision_and_hash(
    gate: Run, write_policy: WritePolicy, tmp_path: Path
) -> None:
    path = write_policy()
    outside = json.loads(gate("check", str(path), "--at", AT, "--format", "json").stdout)
    for arguments in (
        ("init", "-q"),
        ("add", "gate.yaml"),
        ("-c", "user.name=t", "-c", "user.email=t@t.example", "commit", "-qm", "policy"),
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    committed = json.loads(gate("check", str(path), "--at", AT, "--format", "json").stdout)
    path.write_text(POLICY + "# changed\n")
    changed = json.loads(gate("check", str(path), "--at", AT, "--format", "json").stdout)

    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=tmp_path, text=True).strip()
    sources = [run["policies"][0]["source"] for run in (outside, committed, changed)]
    assert [source["revision"] for source in sources] == [None, head, head]
    assert [source["modified"] for source in sources] == [False, False, True]
    assert sources[0]["sha256"] == sources[1]["sha256"] != sources[2]["sha256"]


def test_validate_lists_every_mistake_and_goes_on_to_the_next_file(
    gate: Run, write_policy: WritePolicy, tmp_path: Path
) -> None:
    write_policy()
    (tmp_path / "bad.yaml").write_text(
        POLICY.replace("99.9%", "99.9").replace("canary,", "canari,")
    )

    done = gate("validate", "bad.yaml", "gate.yaml")

    assert done.exit_code == 2
    assert done.stdout.splitlines() == [
        "bad.yaml:6:37: error: a bare 99.9 is ambiguous; write 99.9% or a share from 0 to 1",
        "bad.yaml:9:49: error: 'canari' is not a change class; did you mean 'canary'?",
        "bad.yaml: 2 errors",
        "gate.yaml: sound",
    ]


def test_validate_counts_one_error_and_asks_no_backend(gate: Run, tmp_path: Path) -> None:
    text = POLICY.replace("{type: static, path: counts.yaml}", '{type: prometheus, url: "${NO}"}')
    text = text.replace("window: 30d", "window: 30d, sli: {bad: a, total: b}")
    (tmp_path / "gate.yaml").write_text(text.replace("> 50%", "> 50"))

    done = gate("validate", "gate.yaml")

    assert done.stdout.splitlines()[-1] == "gate.yaml: 1 error"
    assert "warning: the environment variable NO is not set" in done.stdout


def test_warnings_of_a_sound_policy_go_to_stderr(gate: Run, write_policy: WritePolicy) -> None:
    path = write_policy(text=POLICY.replace(", rollback]\n", "]\n"))

    done = gate("check", str(path), "--at", AT, "--format", "json")

    assert "warning: exhausted: forbids rollback" in done.stderr
    assert json.loads(done.stdout)["verdict"] == "allow"


@pytest.mark.variants(3)
@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_prints_a_valid_schema_with_descriptions(gate: Run, name: str) -> None:
    schema = json.loads(gate("schema", name).stdout)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert all("description" in value for value in schema["properties"].values())


@pytest.mark.variants(9)
@pytest.mark.parametrize(
    "asked",
    [("--server", server) for server in preset_names()]
    + [("--backend", name) for name in BACKENDS]
    + [()],
)
def test_init_writes_a_policy_that_is_sound(gate: Run, asked: tuple[str, ...]) -> None:
    done = gate("init", "new/gate.yaml", *asked)

    assert done.exit_code == 0
    checked = gate("validate", "new/gate.yaml", env={"PROMETHEUS_URL": "http://127.0.0.1:9090"})
    assert checked.stdout.splitlines()[-1] == "new/gate.yaml: sound"


@pytest.mark.parametrize(("backend", "proposed"), [("datadog", True), ("elastic", False)])
def test_init_proposes_burn_rates_where_the_backend_can_count_them(
    gate: Run, tmp_path: Path, backend: str, proposed: bool
) -> None:
    gate("init", "gate.yaml", "--backend", backend)

    text = (tmp_path / "gate.yaml").read_text(encoding="utf-8")
    assert ("burn_rates" in text) is proposed
    assert "\n\n\n" not in text


def test_init_takes_the_backend_of_the_server(gate: Run) -> None:
    done = gate("init", "gate.yaml", "--server", "vllm", "--backend", "logs")

    assert done.exit_code == 2
    assert "--server vllm is for the prometheus backend, not for logs" in done.stderr


def test_presets_are_listed_with_what_they_measure(gate: Run) -> None:
    done = gate("presets")

    assert done.exit_code == 0
    listed = [line.split()[0] for line in done.stdout.splitlines() if line[:1].strip()]
    assert listed[:-1] == list(preset_names())
    assert "vLLM (prometheus): errors, availability, latency" in done.stdout


@pytest.mark.parametrize(
    "name, told",
    [
        ("vllm", ["faithfulness", "no signal: vLLM judges no answers", "Sources"]),
        ("vllm/errors", ["sli: {preset: vllm/errors}", 'status="5xx"', "client_errors", "Caveats"]),
        (
            "vllm/inter-token-latency",
            ["threshold: 100ms}", "Otherwise, under an older name", "at most the threshold, in s"],
        ),
        ("vllm/availability", ["sli: {preset: vllm/availability, labels: {job: ...}}", "max(up"]),
        ("vllm/hallucination", ["vllm/faithfulness", "vLLM has no such signal"]),
    ],
)
def test_a_preset_is_shown_with_its_queries_and_sources(
    gate: Run, name: str, told: list[str]
) -> None:
    done = gate("presets", "show", name)

    assert done.exit_code == 0
    assert [text for text in told if text not in done.stdout] == []


@pytest.mark.parametrize(
    "name, hint",
    [
        ("vlm/errors", "there is no preset 'vlm'; did you mean 'vllm'?"),
        ("vllm/erors", "vllm has no indicator 'erors'; did you mean 'errors'?"),
    ],
)
def test_a_misspelt_preset_is_reported_its_nearest(gate: Run, name: str, hint: str) -> None:
    done = gate("presets", "show", name)

    assert (done.exit_code, done.stderr) == (2, f"gate: {hint}\n")


def test_init_does_not_overwrite_unless_forced(gate: Run, tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text("mine")

    assert gate("init", "gate.yaml").exit_code == 2
    assert (tmp_path / "gate.yaml").read_text() == "mine"
    assert gate("init", "gate.yaml", "--force").exit_code == 0
    assert gate("init", "gate.yaml/inside.yaml").exit_code == 2


def test_the_version_is_the_packages(gate: Run) -> None:
    assert gate("--version").stdout == f"gate {__version__}\n"


def test_each_command_is_its_own_module_and_has_the_help_that_is_listed(gate: Run) -> None:
    listed = gate("--help").stdout

    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name}\s+{re.escape(line)}$", listed, re.MULTILINE)
        assert gate(name, "--help").exit_code == 0
    assert set(cli.commands) == set()


def test_colours_only_where_asked(gate: Run, write_policy: WritePolicy) -> None:
    arguments = ("check", str(write_policy()), "--at", AT)

    assert "\x1b[" not in gate(*arguments).stdout
    assert "\x1b[" in gate(*arguments, env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" not in gate(*arguments, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


def test_the_width_follows_columns(gate: Run, write_policy: WritePolicy) -> None:
    report = gate("check", str(write_policy()), "--at", AT, env={"COLUMNS": "80"}).stdout

    assert max(map(len, report.splitlines())) <= 80


def test_a_name_that_the_terminal_cannot_show_is_not_a_fault(write_policy: WritePolicy) -> None:
    path = write_policy(bad=1500, text=POLICY.replace("@acme/llm-platform", "Zoë ☎"))

    done = subprocess.run(
        command("check", str(path), "--at", AT),
        env=environment({"PYTHONIOENCODING": "ascii"}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert done.returncode == 10
    assert "Zo\\xeb" in done.stdout


def test_the_command_is_the_installed_one() -> None:
    assert Path(command()[0]).exists()


@pytest.mark.parametrize(
    "word, hint",
    [
        ("chek", "did you mean 'check'?"),
        ("zzz", "known: anomalies, "),
    ],
)
def test_a_misspelt_command_is_reported_its_nearest(gate: Run, word: str, hint: str) -> None:
    done = gate(word, "gate.yaml")

    assert done.exit_code == 2
    assert f"'{word}' is not a command; {hint}" in done.stderr


@pytest.mark.parametrize("words", [("--chnage", "canary"), ("--", "-x")])
def test_an_option_where_a_command_should_be_is_reported(gate: Run, words: tuple[str, ...]) -> None:
    done = gate(*words)

    assert done.exit_code == 2
    assert "No such option" in done.stderr


@pytest.mark.parametrize(
    ("name", "former", "now"),
    [
        ("incidents", "--least", "--min-share"),
        ("incidents", "--known", "--known-incidents"),
        ("report", "--least", "--min-share"),
        ("report", "--known", "--known-incidents"),
        ("report", "--within", "--stratify-by"),
        ("anomalies", "--known", "--known-incidents"),
        ("cohorts", "--within", "--stratify-by"),
        ("cohorts", "--against", "--baseline"),
    ],
)
def test_a_flag_that_was_renamed_is_refused_with_its_new_name(
    gate: Run, name: str, former: str, now: str
) -> None:
    done = gate(name, "gate.yaml", former, "x")

    assert done.exit_code == 2
    assert f"Error: No such option {former!r}; it is called {now} now." in done.stderr
    assert gate(name, "--help").stdout.count(now) >= 1


def test_a_command_that_is_interrupted_says_so_by_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupt)
    assert main(["status"]) is ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("check", "--fail-on", "block"), "warn"),
        (("sweep", "--fail-on", "block"), "warn"),
        (("status", "--period", "block"), "last"),
    ],
)
def test_the_single_value_of_an_option_is_what_to_write(
    gate: Run, arguments: tuple[str, ...], value: str
) -> None:
    done = gate(*arguments)

    assert done.exit_code == 2
    assert f"'block' is not a valid value; write {value}" in done.stderr
