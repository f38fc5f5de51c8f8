"""Real servers with everything that is planted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor.planted import write_text
from tests.servers.metrics import Server, backfill, prometheus, victoria


@pytest.fixture(scope="session")
def planted_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a day of every planted service as OpenMetrics text."""
    path = tmp_path_factory.mktemp("planted") / "planted.om"
    write_text(path)
    return path


@pytest.fixture(scope="session")
def prometheus_server(
    planted_text: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Run a Prometheus with them."""
    data = planted_text.parent / "blocks"
    backfill(planted_text, data)
    with prometheus(tmp_path_factory.mktemp("prometheus"), data) as server:
        yield server


@pytest.fixture(scope="session")
def victoria_server(
    planted_text: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Run a VictoriaMetrics with them."""
    with victoria(tmp_path_factory.mktemp("victoria"), planted_text) as server:
        yield server
