"""Policies for the command to read, and a pull request for it to judge."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli import watched
from tests.cli.installed import AT, POLICY
from tests.command import Result, Run
from tests.servers.github import PULL, REPOSITORY, TOKEN, FakeGitHub, github

EVENT: dict[str, Any] = {
    "number": PULL,
    "user": {"login": "ada"},
    "labels": [],
    "head": {"sha": "a" * 40, "ref": "shorter", "repo": {"full_name": REPOSITORY}},
    "base": {"sha": "b" * 40},
}


@pytest.fixture
def write_policy(tmp_path: Path) -> Callable[..., Path]:
    """Write a policy with its counts and return its path."""

    def write(bad: float = 100, total: float = 1_000_000, text: str = POLICY) -> Path:
        (tmp_path / "counts.yaml").write_text(
            f"counts:\n  availability: {{total: {total}, bad: {bad}}}\n", encoding="utf-8"
        )
        path = tmp_path / "gate.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_logs(tmp_path: Path) -> Callable[..., None]:
    """Write a policy, and logs of a canary: `tests.cli.watched.write`."""
    return partial(watched.write, tmp_path)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    """A GitHub with one pull request."""
    with github() as one:
        yield one


@pytest.fixture
def on_pull_request(
    fake: FakeGitHub, gate: Run, write_policy: Callable[..., Path], tmp_path: Path
) -> Callable[..., Result]:
    """Run ``gate check`` as a step of a workflow on a pull request; 820 of a million failed."""
    event = tmp_path / "event.json"

    def run(*arguments: str, bad: int = 820, text: str = POLICY, **more: Any) -> Result:
        write_policy(bad=bad, text=text)
        event.write_text(json.dumps({"pull_request": EVENT | more.pop("event", {})}))
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": fake.url,
            "GITHUB_TOKEN": TOKEN,
        }
        asked = ("check", "gate.yaml", "--ci", "github", *arguments)
        return gate(*asked, *(() if "--wait" in arguments else ("--at", AT)), env=runner | more)

    return run
