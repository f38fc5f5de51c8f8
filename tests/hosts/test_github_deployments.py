"""Which deployments went live when, by requests that GitHub's published description allows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gate.hosts.github_events import GitHubError
from tests.hosts.asking import asking
from tests.servers.github import Deployment, FakeGitHub, github

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def deployment(
    *statuses: tuple[str, str],
    created: str = "10:00",
    place: str = "production",
    sha: str = "c" * 40,
) -> Deployment:
    return Deployment(
        sha=sha,
        created=f"2026-11-02T{created}:00Z",
        environment=place,
        statuses=tuple((state, f"2026-11-02T{at}:00Z") for state, at in statuses),
    )


@pytest.mark.parametrize(
    ("statuses", "live"),
    [
        ((), "10:00"),
        ((("inactive", "19:00"), ("success", "10:07"), ("in_progress", "10:01")), "10:07"),
        ((("success", "14:00"), ("inactive", "12:00"), ("success", "10:05")), "10:05"),
        ((("failure", "10:09"), ("in_progress", "10:02"), ("queued", "10:01")), "10:02"),
        ((("error", "10:03"),), "10:03"),
        ((("pending", "10:01"), ("queued", "10:00")), None),
    ],
)
def test_a_deployment_is_live_once_it_succeeds_or_else_once_it_touches_anything(
    fake: FakeGitHub, statuses: tuple[tuple[str, str], ...], live: str | None
) -> None:
    fake.deployments = [deployment(*statuses)]

    found = asking(fake.url).deployments.since(START)

    times = [datetime.fromisoformat(f"2026-11-02T{live}:00Z")] if live else []
    assert [(one.time, one.revision) for one in found] == [(time, "c" * 40) for time in times]
    assert all(one.id and one.is_named(one.id) for one in found)


def test_all_pages_are_read_and_no_further_than_a_day_before_the_start(fake: FakeGitHub) -> None:
    newest = datetime(2026, 11, 20, tzinfo=UTC)
    fake.deployments = [
        Deployment(sha=f"{number:040}", created=f"{newest - timedelta(hours=4 * number):%FT%TZ}")
        for number in reversed(range(300))
    ]

    found = asking(fake.url).deployments.since(START)

    # 19 days, six a day, both ends among them; another day is asked about and left out.
    assert [int(one.revision) for one in found] == list(range(115))
    assert fake.seen.count("repos/list-deployments") == 2
    assert fake.seen.count("repos/list-deployment-statuses") == 121


def test_one_that_waited_for_its_approval_is_found(fake: FakeGitHub) -> None:
    statuses = (("success", "2026-11-01T00:20:00Z"), ("queued", "2026-10-31T09:00:00Z"))
    fake.deployments = [Deployment(sha="d" * 40, created="2026-10-31T09:00:00Z", statuses=statuses)]

    (found,) = asking(fake.url).deployments.since(START)

    assert found.time == datetime(2026, 11, 1, 0, 20, tzinfo=UTC)


def test_only_the_named_environment_is_requested(fake: FakeGitHub) -> None:
    fake.deployments = [deployment(sha="e" * 40), deployment(sha="f" * 40, place="staging")]

    (found,) = asking(fake.url).deployments.since(START, "production")

    assert found.revision == "e" * 40


@pytest.mark.parametrize("operation", ["repos/list-deployments", "repos/list-deployment-statuses"])
def test_a_token_that_may_not_read_deployments_is_reported_what_it_needs(
    fake: FakeGitHub, operation: str
) -> None:
    fake.deployments = [deployment()]
    fake.forbidden = {operation}

    with pytest.raises(GitHubError, match="the token needs deployments: read"):
        asking(fake.url).deployments.since(START)
