"""Real servers for the tests of this folder. Each worker starts its own, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.metrics import Server, backfill, prometheus, victoria, write_history


@pytest.fixture(scope="session")
def history_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the month of every service as OpenMetrics text."""
    path = tmp_path_factory.mktemp("history") / "history.om"
    write_history(path)
    return path


@pytest.fixture(scope="session")
def history_blocks(history_text: Path) -> Path:
    """Return the same as a Prometheus data folder; copy it before a server writes to it."""
    data = history_text.parent / "blocks"
    backfill(history_text, data)
    return data


@pytest.fixture(scope="session")
def prometheus_server(
    history_blocks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Run a Prometheus with the history."""
    with prometheus(tmp_path_factory.mktemp("prometheus"), history_blocks) as server:
        yield server


@pytest.fixture(scope="session")
def victoria_server(
    history_text: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Run a VictoriaMetrics with the history."""
    with victoria(tmp_path_factory.mktemp("victoria"), history_text) as server:
        yield server


@pytest.fixture(scope="session", params=["prometheus", "victoria"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the address of each server in turn."""
    address: str = request.getfixturevalue(f"{request.param}_server").url
    return address
