"""Whatever a policy says, no variable of the runner is filled in but in a backend's connection.

Here the policy is the one that counts, as somebody would write it who has only to get it merged, or
who runs the gate without a pinned policy; every output is looked through for the planted secrets.
"""

import json
from pathlib import Path

import pytest

from tests.attacks.world import POLICY, SECRETS, keeps_its_secrets
from tests.command import Result, gate

NAMES = sorted(
    {*SECRETS, "GITHUB_TOKEN", "CI_REGISTRY_PASSWORD", "SYSTEM_ACCESSTOKEN", "SSH_AUTH_SOCK"}
)
PLANTED: dict[str, str | None] = {name: SECRETS.get(name, "hunter2/" + name) for name in NAMES}
COMMANDS = {
    "check": ("check", "gate.yaml", "--change", "canary"),
    "status": ("status", "gate.yaml"),
    "validate": ("validate", "gate.yaml"),
    "doctor": ("doctor", "gate.yaml"),
    "incidents": ("incidents", "gate.yaml"),
    "forecast": ("forecast", "gate.yaml"),
    "export": ("export", "gate.yaml", "--format", "openslo"),
    "report": ("report", "gate.yaml"),
}


def run(folder: Path, text: str, *arguments: str) -> Result:
    """Run a command on a policy with every secret at hand; it ends with a code of its own."""
    (folder / "gate.yaml").write_text(text)
    result = gate(*arguments, cwd=folder, env=PLANTED)
    assert result.exit_code in {0, 2, 3, 10, 11, 12}, result.stderr
    assert keeps_its_secrets(result)
    assert "hunter2" not in result.stdout + result.stderr
    return result


def plain(folder: Path) -> str:
    (folder / "counts.yaml").write_text("counts: {availability: {total: 1000000, bad: 820}}\n")
    return POLICY.format(counts="counts.yaml")


FREEZE = "freezes: [{from: 2020-01-01, to: 2020-01-02, reason:"
PLACES = {
    "service": ("service: chat", "service: x-${NAME}"),
    "owner": ("service: chat", "service: chat\nowners: ['${NAME}']"),
    "dashboard": ("service: chat", "service: chat\ndashboard: 'https://x/?t=${NAME}'"),
    "version": ("version: 1", "version: ${NAME}"),
    "backend type": ("type: static", "type: '${NAME}'"),
    "slo": ("name: availability", "name: '${NAME}'"),
    "objective": ("99.9%", "'${NAME}'"),
    "window": ("30d", "'${NAME}'"),
    "class": ("default: full-rollout", "default: '${NAME}'"),
    "description": ("default: full-rollout", "mine: {description: '${NAME}'}\n  default: mine"),
    "label": ("labels: [security]", "labels: ['${NAME}']"),
    "approver": ('"@grace"', '"@${NAME}"'),
    "trailer": ("Change-Class: canary", "Change-Class: '${NAME}'"),
    "trailer's key": ("Change-Class: canary", "'${NAME}': canary"),
    "tier": ("name: healthy", "name: '${NAME}'"),
    "key": ("service: chat", "service: chat\n'${NAME}': x"),
    "threshold": ("> 10%", "> ${NAME}"),
    "files": ("  - {name: avail", "  - {from: '${NAME}/*.yaml'}\n  - {name: avail"),
    "freeze": ("tiers:", f"{FREEZE} '${{NAME}}'}}]\ntiers:"),
    "override": ("tiers:", "overrides: {label: '${NAME}'}\ntiers:"),
    "records": ("tiers:", "postmortems: {share: 20%, known_incidents: ['${NAME}']}\ntiers:"),
    "cause": ("tiers:", "on: {no_data: '${NAME}'}\ntiers:"),
    "age": ("tiers:", "max_age: '${NAME}'\ntiers:"),
    "alias": ("service: chat", "service: &n '${NAME}'\nowners: [*n]"),
    "folded": ("service: chat", "service: chat\ndashboard: >-\n  https://x/\n  ${NAME}"),
    "escaped": ("service: chat", 'service: chat\ndashboard: "\\u0024\\u007bNAME\\u007d"'),
    "tagged": ("service: chat", "service: chat\ndashboard: !!str ${NAME}"),
    "default": ("service: chat", "service: 'x-${NAME:-hunter2}'"),
    "unset": ("service: chat", "service: 'x-${NOT_SET_AT_ALL:-hunter2}'"),
    "nested": ("service: chat", "service: '${A:-${NAME}}'"),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "PROMETHEUS_TOKEN"])
def test_a_variable_in_any_other_place_is_an_error_that_shows_no_value(
    tmp_path: Path, place: str, name: str
) -> None:
    before, after = PLACES[place]
    text = plain(tmp_path)
    assert before in text
    text = text.replace(before, after.replace("NAME", name))
    for arguments in COMMANDS.values():
        result = run(tmp_path, text, *arguments)
        assert result.exit_code == 2, (arguments, result.stdout)
    check = run(tmp_path, text, *COMMANDS["check"])
    assert "gate.yaml:" in check.stderr
    assert "not filled in" in check.stderr or "not known" in check.stderr


CONNECTIONS = [
    "{type: prometheus, url: 'http://127.0.0.1:9/${NAME}', retries: 0}",
    "{type: prometheus, url: 'http://${NAME}@127.0.0.1:9', retries: 0}",
    "{type: prometheus, url: 'http://127.0.0.1:9', retries: 0, headers: {X: '${NAME}'}}",
    "{type: prometheus, url: 'http://127.0.0.1:9', retries: 0, auth: {bearer: '${NAME}'}}",
    "{type: prometheus, url: 'http://127.0.0.1:9', tls: {ca: '${NAME}'}}",
    "{type: logs, path: 'x/${NAME}/*.jsonl', timestamp: ts}",
    "{type: static, path: '${NAME}'}",
]


@pytest.mark.parametrize("backend", CONNECTIONS)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "PROMETHEUS_TOKEN"])
def test_a_credential_of_the_runner_is_not_filled_in_even_there(
    tmp_path: Path, backend: str, name: str
) -> None:
    text = plain(tmp_path).replace(
        "{type: static, path: counts.yaml}", backend.replace("NAME", name)
    )
    result = run(tmp_path, text, *COMMANDS["check"])
    assert result.exit_code == 2
    assert f"${{{name}}} is never filled in" in result.stderr
    assert "set a variable of another name" in result.stderr


@pytest.mark.parametrize(
    "backend",
    [
        "{type: logs, path: 'x/${PROMETHEUS_TOKEN}/*.jsonl', timestamp: ts}",
        "{type: logs, path: '${PROMETHEUS_TOKEN}://x', timestamp: ts}",
        "{type: static, path: 'x/${PROMETHEUS_TOKEN}'}",
        "{type: prometheus, url: '${PROMETHEUS_TOKEN}'}",
        "{type: prometheus, url: 'http://x', retries: '${PROMETHEUS_TOKEN}'}",
        "{type: prometheus, url: 'http://x', parallel: '${PROMETHEUS_TOKEN}'}",
        "{type: prometheus, url: 'http://x', tls: {ca: '${PROMETHEUS_TOKEN}'}}",
        "{type: prometheus, url: 'http://x', auth: {bearer_file: '${PROMETHEUS_TOKEN}'}}",
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_secret_in_the_wrong_setting_of_a_connection_is_not_shown(
    tmp_path: Path, backend: str, command: str
) -> None:
    text = plain(tmp_path).replace("{type: static, path: counts.yaml}", backend)
    text = text.replace("window: 30d}", "window: 30d, sli: {bad: a = 1, total: 'true'}}")
    if "logs" not in backend:
        text = text.replace(", sli: {bad: a = 1, total: 'true'}", "")
    result = run(tmp_path, text, *COMMANDS[command])
    if command == "check":
        assert result.exit_code in {2, 3}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_policy_whose_connection_takes_a_variable_still_works(
    tmp_path: Path, command: str
) -> None:
    text = plain(tmp_path).replace("path: counts.yaml", "path: '${FOLDER:-.}/counts.yaml'")
    (tmp_path / "gate.yaml").write_text(text)
    result = gate(*COMMANDS[command], cwd=tmp_path, env={"FOLDER": str(tmp_path)})
    assert "filled in" not in result.stderr
    if command == "check":
        assert result.exit_code == 0, result.stderr


def test_an_slo_file_fills_nothing_in(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "version: prometheus/v1\nservice: '${GITHUB_TOKEN}'\nslos:\n"
        "  - name: '${PROMETHEUS_TOKEN}'\n"
        "    objective: 99.9\n    sli: {raw: {error_ratio_query: '${CI_JOB_TOKEN}'}}\n"
    )
    text = plain(tmp_path).replace("  - {name: avail", "  - {from: a.yaml}\n  - {name: avail")
    result = run(tmp_path, text, *COMMANDS["check"])
    assert result.exit_code == 2
    assert "a.yaml:2:10: error: ${GITHUB_TOKEN} is not filled in here" in result.stderr
    assert "a.yaml:4:11: error: ${PROMETHEUS_TOKEN} is not filled in here" in result.stderr


def test_records_and_deploys_fill_nothing_in(tmp_path: Path) -> None:
    record = {"id": "${GITHUB_TOKEN}", "title": "${PROMETHEUS_TOKEN}", "status": "open"}
    (tmp_path / "a.yaml").write_text(json.dumps(record | {"start": "2026-01-01T00:00:00Z"}))
    (tmp_path / "deploys.jsonl").write_text(
        '{"time": "2026-01-01T00:00:00Z", "revision": "${GITHUB_TOKEN}"}\n'
    )
    for option, name in (("--known-incidents", "a.yaml"), ("--deploys", "deploys.jsonl")):
        result = run(tmp_path, plain(tmp_path), *COMMANDS["incidents"], option, name)
        assert result.exit_code == 2
