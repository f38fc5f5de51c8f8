from collections.abc import Iterator

import pytest

from tests.servers.metrics import Server, backfill, prometheus, write_history


@pytest.fixture(scope="session")
def prometheus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a Prometheus with the month of every service."""
    folder = tmp_path_factory.mktemp("history")
    write_history(folder / "history.om")
    backfill(folder / "history.om", folder / "blocks")
    with prometheus(folder / "server", folder / "blocks") as server:
        yield server
