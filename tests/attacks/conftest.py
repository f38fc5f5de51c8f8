"""A world for each attempt; those that change nothing of it share one."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.decisions import Deploy
from tests.attacks.world import World
from tests.hosts.repository import git


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository whose main has a policy, and nothing of a run yet."""
    return World(tmp_path)


@pytest.fixture(scope="session")
def _loosened(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("loosened"))
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.open()
    world.check_out(depth=1)
    return world


@pytest.fixture
def loosened(_loosened: World) -> World:
    """A pull request that loosens the policy, checked out; nothing but the run may be changed."""
    world = copy.copy(_loosened)
    world.event, world.more = copy.deepcopy(world.event), dict(world.more)
    return world


@pytest.fixture(scope="session")
def _tagged(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("tagged"))
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.pushed("change")
    git(world.work, "tag", "v1")
    world.push("HEAD:refs/tags/v1", "HEAD:refs/tags/main")
    world.check_out("refs/heads/change")
    return world


@pytest.fixture
def tagged(_tagged: World) -> World:
    """A push to a branch that loosens the policy, with tags of it; as above."""
    world = copy.copy(_tagged)
    world.event, world.more = copy.deepcopy(world.event), dict(world.more)
    return world


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """A push to main, checked out in the job that decides and in the one that ships."""
    world = World(tmp_path_factory.mktemp("pushed"))
    world.commit("feat: more", {"src/a.py": "a = 3\n"})
    world.pushed()
    world.check_out()
    return Deploy(world)


@pytest.fixture
def deploy(pushed: Deploy) -> Iterator[Deploy]:
    """The same for each attempt, which may change what is checked out there."""
    pushed.begin_anew()
    yield pushed
    pushed.begin_anew()


FIRST = ("test_k2_", "test_k6_", "test_k7_", "test_more_", "test_harness")
"""Modules that `make test` runs, too: what they reach of the gate, no other test does."""
REACHING = frozenset(
    {
        "test_a_forks_own_remote_is_not_asked_and_the_api_of_the_runs_repository_is",
        "test_a_name_that_means_several_commits_is_refused_and_they_are_listed",
        "test_a_proposed_backend_is_sent_nothing",
        "test_a_time_that_no_decision_can_have_does_not_hold",
        "test_links_of_a_proposal_show_nothing_of_what_they_lead_to",
        "test_no_text_of_a_proposal_stops_or_slows_the_run",
        "test_the_api_is_not_asked_for_a_path_of_another_repository",
        "test_whatever_a_change_makes_of_the_folder_the_policy_is_that_of_the_base",
    }
)
"""Tests of other modules of which the same is true."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most attempts to `make slow`, so that `make test` is quick; CI runs both."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent != here or item.path.name.startswith(FIRST):
            continue
        if getattr(item, "originalname", item.name) not in REACHING:
            item.add_marker("slow")
