"""A label that overrides a verdict, and who may."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.installed import POLICY
from tests.command import Result, Run
from tests.hosts.test_github_people import HEAD, labelling
from tests.servers.github import FakeGitHub

LABEL = '"gate-override | @everyone"'
RULE = f"overrides: {{label: {LABEL}, approved_by: ['@acme/sre'], max_duration: 8h}}\n"
ALSO = POLICY.replace("service: chat", "service: search")
SEARCH = ALSO + RULE.replace("8h", "2h")


@pytest.fixture
def check(on_pull_request: Run, fake: FakeGitHub) -> Run:
    """Check a model update that grace has overridden an hour before."""
    fake.pushes = [("shorter", HEAD, "2026-10-31T22:00:00Z")]
    setting = labelling(1, "grace", "labeled", json.loads(LABEL))
    fake.events = [setting | {"created_at": "2026-10-31T23:00:00Z"}]
    fake.plant("grace", "Gate-Override: the fix <!-- | @everyone")
    fake.teams = {("acme", "sre", "grace"): "active"}
    return partial(on_pull_request, "--change", "model-update", text=POLICY + RULE)


def decided(done: Result) -> Any:
    return json.loads(done.stdout)


def test_a_label_ships_the_change_and_never_looks_like_a_pass(check: Run) -> None:
    done = check("--format", "json", "--write", "markdown=report.md")
    decision = decided(done)
    assert (done.exit_code, decision["verdict"], decision["overridden"]) == (0, "block", True)
    assert decision["override"] == {
        "reason": "the fix <!-- | @everyone",
        "approved_by": "@grace",
        "until": "2026-11-01T07:00:00Z",
        "label": "gate-override | @everyone",
    }
    assert decision["not_overridden"] is None


def test_a_label_is_recorded_with_who_and_why(check: Run, tmp_path: Path) -> None:
    check("--record", "log.jsonl")
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["override"]["approved_by"] == "@grace"


def test_every_report_for_people_tells_the_label_and_none_takes_its_words(check: Run) -> None:
    shown = check("--format", "terminal").stdout
    assert "BLOCK (overridden: exit code 0)" in shown
    assert "approved by @grace by the label gate-override | @everyone" in " ".join(shown.split())
    comment = check("--format", "markdown").stdout
    assert "BLOCK (overridden: exit code 0)" in comment
    assert "<!--" not in comment
    assert "@everyone" not in comment


def test_a_label_that_does_not_count_is_reported_and_the_verdict_stands(
    check: Run, fake: FakeGitHub
) -> None:
    fake.teams = {}
    decision = decided(done := check("--format", "json"))
    assert (done.exit_code, decision["override"], decision["overridden"]) == (10, None, False)
    assert "@grace may not approve it; @acme/sre may" in decision["not_overridden"]
    shown = " ".join(check().stdout.split())
    assert "Override the label gate-override | @everyone does not count: @grace" in shown


@pytest.mark.parametrize(
    "more",
    [{"bad": 1}, {"text": POLICY}, {"GITHUB_TOKEN": ""}],
    ids=["the change may ship", "the policy knows no label", "there is no token"],
)
def test_nobody_is_asked_where_no_label_can_matter(
    check: Run, fake: FakeGitHub, more: dict[str, Any]
) -> None:
    decision = decided(check("--format", "json", **more))
    assert (decision["override"], decision["not_overridden"], fake.seen) == (None, None, [])


@pytest.mark.parametrize(
    "search, code, until",
    [(SEARCH, 0, "2026-11-01T01:00:00Z"), (ALSO, 10, None)],
    ids=["both have the label", "one has none"],
)
def test_of_several_policies_each_that_stops_the_change_must_be_overridden(
    check: Run, tmp_path: Path, search: str, code: int, until: str | None
) -> None:
    (tmp_path / "search.yaml").write_text(search)
    done = check("search.yaml", "--format", "json")
    override = decided(done)["override"]
    assert (done.exit_code, override and override["until"]) == (code, until)


def test_a_label_that_does_not_count_for_one_policy_counts_for_none(
    check: Run, tmp_path: Path
) -> None:
    (tmp_path / "search.yaml").write_text(SEARCH.replace("2h", "30m"))
    decision = decided(done := check("search.yaml", "--format", "json"))
    assert (done.exit_code, decision["override"]) == (10, None)
    assert decision["not_overridden"].endswith("does not count: its end has passed")


ASKED = (
    "--override",
    "the fix",
    "--override-until",
    "2026-11-01T01:00:00Z",
    "--override-approved-by",
)


def test_anybody_who_approves_on_the_command_line_is_looked_up_in_the_team(
    check: Run, fake: FakeGitHub
) -> None:
    assert check(*ASKED, "@grace").exit_code == 0
    alone = check(*ASKED, "@alan")
    assert alone.exit_code == 2
    assert "@alan may not approve it; @acme/sre may (cannot ask who is in the team" in alone.stderr
    assert fake.seen.count("teams/get-membership-for-user-in-org") == 2


def test_without_a_token_nobody_is_known_to_be_in_a_team(check: Run) -> None:
    done = check(*ASKED, "@grace", GITHUB_TOKEN="")
    assert done.exit_code == 2
    assert "the members of @acme/sre are unknown without a code host" in done.stderr
