"""``gate.yaml`` is the policy of a command that is given none; folders and stdin of validate."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.installed import AT, POLICY, command
from tests.cli.test_help import ALL
from tests.command import Run
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub

HEAD = "a" * 40
"""The commit of the pull request that ``on_pull_request`` plays."""

WritePolicy = Callable[..., Path]
TAKING = [name for name, each in ALL.items() if any(one.name == "policies" for one in each.params)]
REQUIRED = {
    "cohorts": ("--by", "model"),
    "export": ("--format", "sloth"),
    "watch": ("--canary", "track=canary", "--for", "1h"),
}
MISSING = (
    "gate.yaml:1:1: error: the file cannot be read: No such file or directory;"
    " gate init writes a first policy\n"
)


def test_every_command_that_reads_policies_has_the_default() -> None:
    others = {"presets", "verify", "log", "init", "schema", "help", "version", "completion"}
    others |= {"attest", "evaluation"}

    assert {name.split()[0] for name in ALL.keys() - set(TAKING)} == others


@pytest.mark.parametrize("name", sorted(set(TAKING) - {"sweep", "validate"}))
def test_where_there_is_no_policy_the_message_says_how_to_get_one(gate: Run, name: str) -> None:
    done = gate(name, *REQUIRED.get(name, ()))

    assert (done.exit_code, done.stdout, done.stderr) == (2, "", MISSING)


def test_validate_says_so_as_well(gate: Run) -> None:
    done = gate("validate")

    assert (done.exit_code, done.stdout) == (2, f"{MISSING}gate.yaml: 1 error\n")


def test_of_another_file_the_message_names_it(gate: Run) -> None:
    assert "; gate init a.yaml writes a first policy\n" in gate("status", "a.yaml").stderr


@pytest.mark.parametrize("name", ["check", "report"])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".", "this is a folder; name a policy file; only gate validate takes a folder"),
        ("-", "No such file or directory; name a policy file; only gate validate takes - for"),
        ("empty.yaml", "the file is empty; gate init --force empty.yaml writes a first policy"),
    ],
)
def test_what_is_not_a_policy_is_reported_what_to_name(
    gate: Run, tmp_path: Path, name: str, path: str, message: str
) -> None:
    (tmp_path / "empty.yaml").touch()

    done = gate(name, path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def test_an_empty_stdin_is_reported_how_to_get_a_policy() -> None:
    done = subprocess.run(
        command("validate", "-"), input="", capture_output=True, check=False, encoding="utf-8"
    )

    assert done.returncode == 2
    assert "the file is empty; gate init writes a first policy\n" in done.stdout


@pytest.mark.parametrize("name", ["check", "status"])
def test_the_policy_of_the_folder_is_read(gate: Run, write_policy: WritePolicy, name: str) -> None:
    write_policy()

    done = gate(name, "--at", AT, "--format", "json")

    assert done.exit_code == 0
    (policy,) = json.loads(done.stdout)["policies"]
    assert policy["source"]["path"] == "gate.yaml"


def test_init_writes_it_and_says_what_is_next(gate: Run, tmp_path: Path) -> None:
    done = gate("init")

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.splitlines()[0] == (
        "wrote gate.yaml, and test cases for gate test to gate.test.yaml"
    )
    assert done.stderr.splitlines()[1].startswith("next: ")
    assert done.stderr.endswith("then run: gate validate, then gate doctor\n")
    assert (tmp_path / "gate.yaml").is_file()
    assert gate("test", "--quiet", env={"PROMETHEUS_URL": None}).exit_code == 0


def test_init_writes_to_the_file_that_output_names(gate: Run, tmp_path: Path) -> None:
    done = gate("init", "-o", "policies/chat.yaml")

    assert done.exit_code == 0
    assert (tmp_path / "policies" / "chat.test.yaml").is_file()
    assert done.stderr.endswith(
        "then run: gate validate policies/chat.yaml, then gate doctor policies/chat.yaml\n"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Policies and other YAML files, three folders deep."""
    (tmp_path / "counts.yaml").write_text("counts: {availability: {total: 10, bad: 1}}\n")
    broken = POLICY.replace("99.9%", "99.9")
    texts = {
        "a/one.yaml": POLICY.replace("counts.yaml", "../counts.yaml"),
        "a/one.test.yaml": "version: 1\nat: 2026-11-01T00:00:00Z\ncases: []\n",
        "a/deep/two.yml": broken.replace("counts.yaml", "../../counts.yaml"),
        "a/deep/no-yaml.yaml": "service: chat\nslos: [\n",
        "a/counts.yaml": "counts: {availability: {total: 10, bad: 1}}\n",
        "a/sloth.yaml": 'version: "prometheus/v1"\nservice: chat\nslos: []\n',
        "a/openslo.yaml": "apiVersion: openslo/v1\nkind: SLO\nservice: chat\nslos: []\n",
        "a/.hidden/three.yaml": POLICY,
        "a/.four.yaml": POLICY,
        "a/readme.md": POLICY,
        "none/counts.yaml": "counts: {}\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_validate_finds_the_policies_of_a_folder_and_says_which(gate: Run, folder: Path) -> None:
    assert (folder / "a").is_dir()
    done = gate("validate", "a", "a/one.yaml")

    assert done.exit_code == 2
    assert done.stderr == "gate: a: 4 of 7 YAML files to check\n"
    ends = [line for line in done.stdout.splitlines() if ": error: " not in line]
    assert ends == [
        "a/deep/no-yaml.yaml: 1 error",
        "a/deep/two.yml: 1 error",
        "a/one.test.yaml: 1 error",
        "a/one.yaml: sound",
    ]


def test_a_file_that_may_not_be_read_is_a_mistake(
    gate: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    done = gate("validate", "none")

    assert done.exit_code == 2
    assert done.stdout.splitlines()[-1] == "none/counts.yaml: 1 error"
    assert "Permission denied" in done.stdout
    assert folder.is_dir()


def test_a_folder_without_a_policy_is_an_error(gate: Run, folder: Path) -> None:
    assert (folder / "none").is_dir()
    done = gate("validate", "none")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "gate: none has no policy: none of its 1 YAML file has the keys service and backend, slos"
        " or tiers\n"
    )


@pytest.mark.parametrize(
    ("text", "code", "last"),
    [
        (POLICY, 0, "<stdin>: sound"),
        (POLICY.replace("99.9%", "99.9"), 2, "<stdin>: 1 error"),
    ],
)
def test_validate_reads_a_policy_on_stdin(gate: Run, text: str, code: int, last: str) -> None:
    done = gate("validate", "-", stdin=text)

    assert done.exit_code == code
    assert done.stdout.splitlines()[-1] == last
    assert done.stdout.count("<stdin>:6:37: error: ") == (code == 2)


def test_a_wrong_command_line_without_a_policy_fails_the_status_of_the_default_one(
    on_pull_request: Run, fake: FakeGitHub, gate: Run
) -> None:
    assert on_pull_request("--status", "--change", "canary").exit_code == 0
    runner = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_PATH": "event.json",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": fake.url,
        "GITHUB_TOKEN": TOKEN,
    }

    done = gate("check", "--ci", "github", "--status", "--fail-on", "never", env=runner)

    assert done.exit_code == 2
    assert {name: one["state"] for name, one in fake.shown(HEAD).items()} == {"gate/chat": "error"}
