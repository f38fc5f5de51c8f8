"""One real Prometheus that has scraped every server of this folder, each with its own label."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.presets.pages import write_pages
from tests.servers.metrics import Server, backfill, prometheus, victoria


@pytest.fixture(scope="session")
def pages_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return six hours of every server as OpenMetrics text."""
    path = tmp_path_factory.mktemp("pages") / "pages.om"
    write_pages(path)
    return path


@pytest.fixture(scope="session")
def prometheus_server(
    pages_text: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Run a Prometheus with the pages."""
    data = pages_text.parent / "blocks"
    backfill(pages_text, data)
    with prometheus(tmp_path_factory.mktemp("prometheus"), data) as server:
        yield server


@pytest.fixture(scope="session")
def victoria_server(pages_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a VictoriaMetrics with the pages."""
    with victoria(tmp_path_factory.mktemp("victoria"), pages_text) as server:
        yield server
