"""The step as a fixture, in this process, with the real command and a GitHub on loopback."""

import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gate.github_action.action import ActionRun
from gate.github_action.inputs import variable
from gate.github_action.step import Step
from gate.hosts.systems import detect
from tests.cli.installed import POLICY
from tests.github_action.acting import counts
from tests.github_action.doing import Do, Done, read_back
from tests.github_action.pulls import pull_request
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub, github


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


@pytest.fixture
def do(fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Do:
    """Run the step on a pull request, unless an event is given, with a policy that blocks."""
    (tmp_path / "gate.yaml").write_text(POLICY)
    (tmp_path / "counts.yaml").write_text(counts(820))
    monkeypatch.chdir(tmp_path)
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}

    def run(
        event: dict[str, Any] | None = None,
        *,
        token: str = TOKEN,
        log: StringIO | None = None,
        workspace: str = "",
        **inputs: str,
    ) -> Done:
        for path in files.values():
            path.unlink(missing_ok=True)
        (tmp_path / "event.json").write_text(json.dumps(pull_request() if event is None else event))
        environ = {
            # The command that the step starts is measured elsewhere, in the tests' own process.
            **{k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "COVERAGE"))},
            **{name: str(path) for name, path in files.items()},
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_API_URL": fake.url,
            "GITHUB_TOKEN": token,
            "GITHUB_WORKSPACE": workspace,
            variable("change"): "model-update",
            **{variable(name.replace("_", "-")): value for name, value in inputs.items()},
        }
        log = log or StringIO()
        step = Step(environ, log)
        context = detect(environ, "github")
        code = ActionRun(environ=environ, step=step, folder=tmp_path, context=context).run()
        outputs = read_back(files["GITHUB_OUTPUT"].read_text())
        summary = files["GITHUB_STEP_SUMMARY"]
        return Done(code, outputs, log.getvalue(), summary.read_text() if summary.exists() else "")

    return run
