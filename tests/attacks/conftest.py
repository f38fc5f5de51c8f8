"""A world for each attempt."""

from pathlib import Path

import pytest

from tests.attacks.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository whose main has a policy, and nothing of a run yet."""
    return World(tmp_path)
