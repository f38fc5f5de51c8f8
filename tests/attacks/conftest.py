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
