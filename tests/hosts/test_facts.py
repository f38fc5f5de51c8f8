"""The known facts of a change; an unknown fact never counts as an absent one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gate.decision.decision import Context
from gate.hosts.base import BaseFinder
from gate.hosts.change_facts import FactFinder
from gate.hosts.git import Checkout
from gate.hosts.pulls import Deployed
from gate.hosts.span import Changeset
from gate.policy.changes import ChangeCommit, ChangeFacts, Live
from tests.hosts.changing import HEAD, Host, pull
from tests.hosts.repository import begin, commit, git
from tests.hosts.test_base import AT, none

PULL = Context(
    system="github",
    base="HEAD~1",
    branch="hotfix",
    pull_request=7,
    labels=("security",),
    title="Stop it",
)
QUEUE = Context(system="github", event="merge_group", base="HEAD~1", branch="main")
ELSEWHERE = Changeset(("models/a",), (ChangeCommit(message="feat: x"),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = begin(tmp_path / "repository")
    commit(folder, "fix: a fault\n\nChange-Class: canary", {"prompts/a.md": ""})
    return folder


def known(
    folder: Path, context: Context, host: Host | None = None, live: Live | None = None
) -> ChangeFacts:
    checkout = Checkout(folder)
    return FactFinder(context, checkout, host, BaseFinder(context, checkout, host, none))(live)


def test_a_change_is_known_from_the_run_and_from_git(folder: Path) -> None:
    facts = known(folder, PULL)
    assert facts.paths == ("prompts/a.md",)
    assert (facts.labels, facts.common_labels) == (("security",), ("security",))
    assert (facts.branches, facts.titles) == (("hotfix",), ("Stop it",))
    (only,) = facts.commits or ()
    assert (only.subject, only.trailers) == ("fix: a fault", (("Change-Class", "canary"),))
    assert facts.unknown == {}
    assert facts.comparison is not None
    assert (facts.comparison.base, facts.comparison.base_from) == ("HEAD~1", "the event")
    assert (facts.comparison.files, facts.comparison.commits) == (1, 1)


def test_without_a_base_the_change_is_not_known_rather_than_empty(folder: Path) -> None:
    facts = known(folder, Context(system="shell"))
    assert (facts.paths, facts.commits, facts.branches) == (None, None, None)
    assert (facts.labels, facts.titles) == ((), ())
    for field in ("paths", "commits"):
        assert "name a base" in facts.unknown[field]
    assert facts.comparison is not None
    assert (facts.comparison.files, facts.comparison.commits) == (None, None)


def test_labels_that_the_system_does_not_tell_are_not_known(folder: Path) -> None:
    facts = known(folder, replace(PULL, system="jenkins", labels=None))
    assert facts.labels is None
    assert facts.unknown["labels"].startswith("jenkins does not report them")
    assert facts.titles == ("Stop it",)


def test_labels_and_titles_of_now_go_before_those_of_the_event(folder: Path) -> None:
    host = Host(pulls={7: pull(7, "model", title="feat: x")})
    for attempt in (1, 2):
        facts = known(folder, replace(PULL, attempt=attempt), host)
        assert (facts.labels, facts.titles) == (("model",), ("feat: x",))
    assert "pull_changes 7" not in host.seen


@pytest.mark.parametrize("host", [None, Host()])
def test_the_event_of_an_earlier_run_is_not_believed(folder: Path, host: Host | None) -> None:
    fresh = known(folder, PULL, host)
    assert fresh.labels == ("security",)
    stale = known(folder, replace(PULL, attempt=2), host)
    assert (stale.labels, stale.titles, stale.paths, stale.commits) == (None,) * 4
    assert stale.unknown["labels"].startswith("the event belongs to an earlier run")


@pytest.mark.parametrize("event", ["push", "deployment", "schedule", "workflow_dispatch", None])
def test_without_a_token_the_labels_of_a_deploy_are_not_known(
    folder: Path, event: str | None
) -> None:
    facts = known(folder, Context(system="github", event=event, labels=()))
    assert (facts.labels, facts.titles) == (None, None)
    assert facts.unknown["labels"] == "there is no token"


def test_what_a_pull_request_goes_into_now_is_what_counts(folder: Path) -> None:
    host = Host(pulls={7: pull()})
    context = replace(PULL, base_branch="lax")
    moved = known(folder, context, host)
    assert (moved.paths, moved.commits) == (None, None)
    assert moved.unknown["paths"] == "the pull request now goes into main, not into lax"
    assert known(folder, replace(context, base_branch="main"), host).paths is not None
    assert known(folder, replace(context, base_from="--base"), host).paths is not None


def test_labels_of_a_deploy_are_not_known_where_its_base_is_not(folder: Path) -> None:
    facts = known(folder, Context(system="github", event="push"), Host())
    assert "it is not known what is live" in facts.unknown["labels"]


def shallow(folder: Path, tmp_path: Path) -> tuple[Path, str]:
    """Return a shallow clone, and its commit."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", folder.as_uri(), str(clone))
    return clone, git(clone, "rev-parse", "HEAD")


def test_the_code_host_is_asked_where_the_checkout_is_too_shallow(
    folder: Path, tmp_path: Path
) -> None:
    clone, head = shallow(folder, tmp_path)
    context = replace(PULL, base="f" * 40, revision=head)
    host = Host(pulls={7: replace(pull(), head=head)}, changeset=ELSEWHERE)
    facts = known(clone, context, host)
    assert (facts.paths, facts.commits) == (ELSEWHERE.paths, ELSEWHERE.commits)
    assert facts.unknown == {}

    refused = known(clone, context, Host(pulls=host.pulls))
    assert (refused.paths, refused.commits) == (None, None)
    assert refused.unknown["paths"] == (
        f"the commit '{'f' * 40}' is not in this checkout; cannot pull_changes: 403"
    )


def test_the_pull_request_of_another_commit_tells_nothing(folder: Path, tmp_path: Path) -> None:
    clone, head = shallow(folder, tmp_path)
    context = replace(PULL, base="f" * 40, revision=head)
    facts = known(clone, context, Host(pulls={7: pull()}, changeset=ELSEWHERE))
    assert facts.paths is None
    assert "is not the newest commit of the pull request any more" in facts.unknown["paths"]


def test_what_the_host_cuts_is_not_known(folder: Path, tmp_path: Path) -> None:
    clone, head = shallow(folder, tmp_path)
    context = replace(PULL, base="f" * 40, revision=head)
    host = Host(pulls={7: replace(pull(), head=head)}, changeset=Changeset(None, None))
    facts = known(clone, context, host)
    assert facts.unknown["commits"] == "the host lists only some of them"


def test_a_shallow_deploy_is_compared_by_the_host(folder: Path, tmp_path: Path) -> None:
    clone, head = shallow(folder, tmp_path)
    live = git(folder, "rev-parse", "HEAD~1")
    host = Host(deployed={"prod": Deployed(live, AT)}, changeset=ELSEWHERE)
    context = Context(system="github", event="push", revision=head, branch="main")
    facts = known(clone, context, host, Live("github-deployments", "prod"))
    assert facts.paths == ELSEWHERE.paths
    assert f"between {live} {head}" in host.seen
    queue = replace(QUEUE, base=live, revision=head)
    assert known(clone, queue, host).paths == ELSEWHERE.paths


def test_the_code_host_is_not_requested_what_git_knows(folder: Path) -> None:
    host = Host(pulls={7: pull()})
    assert known(folder, PULL, host).paths == ("prompts/a.md",)
    assert host.seen == ["pull_request"]


def test_a_deploy_has_the_labels_of_the_pull_requests_that_it_came_by(folder: Path) -> None:
    live = git(folder, "rev-parse", "HEAD~1")
    middle = git(folder, "rev-parse", "HEAD")
    head = commit(folder, "feat: y", {"b": ""})
    deployed: Any = {"prod": Deployed(live, AT)}
    first, second = pull(7, "security", "big", merged=True), pull(8, "security", merged=True)
    of_commits: Any = {middle: [first], head: [second]}
    context = Context(system="github", event="push", revision=head)
    host = Host(of_commits=of_commits, deployed=deployed)
    facts = known(folder, context, host, Live("github-deployments", "prod"))
    assert (facts.labels, facts.common_labels) == (("security", "big"), ("security",))
    assert facts.sources == ((8, HEAD), (7, HEAD))

    host.of_commits = {middle: [first], head: []}
    direct = known(folder, context, host, Live("github-deployments", "prod"))
    assert (direct.labels, direct.common_labels, direct.sources) == (("security", "big"), (), ())

    host.of_commits = {middle: [first], head: [pull(9, "security")]}  # not merged
    opened = known(folder, context, host, Live("github-deployments", "prod"))
    assert (opened.common_labels, opened.sources) == ((), ())

    host.of_commits = {middle: [first]}
    refused = known(folder, context, host, Live("github-deployments", "prod"))
    assert refused.labels is None
    assert refused.unknown["labels"] == "cannot pull_requests_of: 403"


def test_of_very_many_commits_the_host_is_not_asked(folder: Path) -> None:
    live = git(folder, "rev-parse", "HEAD")
    for number in range(31):
        commit(folder, f"fix: {number}", {})
    host = Host(deployed={"prod": Deployed(live, AT)})
    context = Context(system="github", event="push")
    facts = known(folder, context, host, Live("github-deployments", "prod"))
    assert facts.unknown["labels"] == "31 commits are too many to ask the host about"


def test_a_merge_queue_has_the_labels_of_its_pull_requests(folder: Path) -> None:
    first = git(folder, "rev-parse", "HEAD")
    commit(folder, "feat: y", {"b": ""})
    of_commits: Any = {first: [pull(7, "security", "model")], git(folder, "rev-parse", "HEAD"): []}
    queue = replace(QUEUE, base="HEAD~2", pull_requests=(8,))
    host = Host(pulls={8: pull(8, "security")}, of_commits=of_commits)
    facts = known(folder, queue, host)
    assert (facts.labels, facts.common_labels) == (("security", "model"), ("security",))
    assert facts.sources == ((8, HEAD), (7, HEAD))

    host.of_commits = {first: [], git(folder, "rev-parse", "HEAD"): []}
    partly = known(folder, queue, host)
    assert partly.labels is None
    assert "does not list every pull request" in partly.unknown["labels"]
    unnamed = known(folder, replace(queue, pull_requests=()), host)
    assert unnamed.labels is None


def test_what_was_live_before_is_reported(folder: Path) -> None:
    old, live = git(folder, "rev-parse", "HEAD~1"), git(folder, "rev-parse", "HEAD")
    git(folder, "checkout", "--quiet", old)
    host = Host(deployed={"prod": Deployed(live, AT)}, was={("prod", old): AT}, back=True)
    context = Context(system="github", event="workflow_dispatch")
    facts = known(folder, context, host, Live("github-deployments", "prod"))
    assert facts.was_live == f"{old[:12]} went live in prod at 2026-11-02 08:00 UTC"
    assert facts.paths == ("prompts/a.md",)
    gone = replace(context, revision="e" * 40)
    assert known(folder, gone, host, Live("github-deployments", "prod")).was_live == ""
