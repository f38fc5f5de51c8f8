"""The pull request of an attempt, on a fake GitHub that keeps to the published description."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.attacks.world import World
from tests.command import Result
from tests.hosts.test_github_people import labelling, review
from tests.servers.github import PULL, TOKEN, FakeGitHub
from tests.servers.github_answers import written
from tests.servers.github_changes import Pull

NOW: Final = datetime.now(UTC).replace(microsecond=0)
"""The instant of all runs of a module: approvals and labels are set some minutes before."""
LABELS: Final = [{"name": "security"}]


def ago(minutes: float) -> str:
    """Return the instant so many minutes before now, as GitHub writes it."""
    return (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


PUSHED: Final = ago(30)
AFTER: Final = ago(20)


def reviewed(login: str, commit: str, state: str = "APPROVED", at: str = AFTER) -> dict[str, Any]:
    """Return somebody's review of a commit."""
    return review(login, state, "10:00", commit) | {"submitted_at": at}


def labelled(login: str, label: str = "security", at: str = AFTER, number: int = 1) -> Any:
    """Return that somebody has set a label."""
    return labelling(number, login, "labeled", label) | {"created_at": at}


def host(world: World, fake: FakeGitHub, **pull: Any) -> str:
    """Open ada's pull request of a change that may ship as a security patch only; return its head.

    Everything is as it should be, and nobody has approved it.
    """
    world.change()
    world.open(labels=LABELS, **pull)
    world.check_out()
    return as_opened(world, fake)


def as_opened(world: World, fake: FakeGitHub) -> str:
    """Let the host know the pull request of a world, as above."""
    head = world.revision()
    fake.branch, fake.opened = "change", ago(60)
    labels = world.event.get("pull_request", {}).get("labels", ())
    fake.changes.pulls[PULL] = Pull(labels=tuple(label["name"] for label in labels))
    fake.pushes = [("change", head, PUSHED)]
    fake.written = [written(head)]
    return head


def ask(world: World, fake: FakeGitHub, *arguments: str, **more: str | None) -> Result:
    """Run the gate on it with the token of the job."""
    token: dict[str, str | None] = {"GITHUB_API_URL": fake.url, "GITHUB_TOKEN": TOKEN}
    return world.run(*arguments, policy="gate.yaml", cwd=".", **token | more)
