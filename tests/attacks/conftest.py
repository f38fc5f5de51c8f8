"""A world for each attempt."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.decisions import Deploy
from tests.attacks.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository whose main has a policy, and nothing of a run yet."""
    return World(tmp_path)


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
