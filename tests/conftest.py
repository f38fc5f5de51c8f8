"""The setup of all tests: fixed seeds, compiled children, and the command as a fixture."""

import gc
import os
import sys
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from gate.hosts.systems.environ import CI_SIGNS
from tests.command import Run
from tests.command import gate as run_gate

pytest_plugins = ["tests.servers.fixtures", "tests.crossed"]

# A slow machine is no failure: timings belong in benchmarks/.
# With fixed seeds a run is like any other: make test takes the first examples, make slow some more,
# and make test-all explores.
FIXED: dict[str, Any] = {"deadline": None, "derandomize": True, "database": None}
settings.register_profile("quick", **FIXED, max_examples=15)
settings.register_profile("fixed", **FIXED, max_examples=50)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Whatever starts the tests may have turned this off; then each process compiles all of gate anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Nor may the tests be those of a change in the CI system that they run in.
for sign in CI_SIGNS:
    os.environ.pop(sign, None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers() -> int | None:
    """Return one more than there are processors: a test often waits for a server or a disk."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # xdist heeds it
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0)) + 1
    return (os.cpu_count() or 1) + 1


REAL = {"browser", "demo", "gitlab", "live", "llm"}
"""Rooms that are marked `real`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs servers, runners or a browser, and put it first.

    Single tests of these take long, and would keep one processor busy at the end.
    """
    here = Path(__file__).parent
    rooms = {path: path.relative_to(here).parts[0] for path in {item.path for item in items}}
    for item in items:
        if rooms[item.path] in REAL:
            item.add_marker("real")
    items.sort(key=lambda item: item.get_closest_marker("real") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """Collect without the garbage collector: what was collected stays until the end."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


@pytest.fixture
def gate(tmp_path: Path) -> Run:
    """Run the command in an empty folder, in this process."""
    return partial(run_gate, cwd=tmp_path)
