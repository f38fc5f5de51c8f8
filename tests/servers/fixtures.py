"""The servers that tests of several rooms share, each with the data that its name says.

``history`` is a month of the services of `tests.servers.history`, ``planted`` a day of everything
that `gate doctor` finds, ``pages`` six hours of what LLM servers expose. The data are made once a
run; each worker of the run starts a server when the first of its tests needs it, and once.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from tests.doctor.planted import write_text
from tests.presets.pages import write_pages
from tests.servers.clickhouse import SHARED, ClickHouse, shared_clickhouse
from tests.servers.metrics import Server, backfill, prometheus, victoria, write_history
from tests.servers.postgres import Postgres, postgres
from tests.servers.spark import RUNNING, sail
from tests.servers.stores import ObjectServer, object_server


@dataclass(frozen=True, slots=True)
class Data:
    """Series, as both kinds of servers take them."""

    folder: Path

    @property
    def text(self) -> Path:
        """OpenMetrics."""
        return self.folder / "series.om"

    @property
    def blocks(self) -> Path:
        """A Prometheus data folder; copy it before a server writes to it."""
        return self.folder / "blocks"


def pytest_sessionfinish() -> None:
    """End the servers that this process has started for all of its tests."""
    SHARED.close()


def made_once(name: str, write: Callable[[Path], None], factory: pytest.TempPathFactory) -> Data:
    """Return data that the first worker who needs them has made for all."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    data = Data(shared / name)
    with (shared / f"{name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)  # until the file is closed
        if not data.folder.exists():
            making = Data(shared / f"{name}.making")
            making.folder.mkdir()
            write(making.text)
            backfill(making.text, making.blocks)
            making.folder.rename(data.folder)
    return data


@contextmanager
def serving(data: Data, factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a Prometheus on data of which it shares the blocks, which no server changes."""
    folder = factory.mktemp("prometheus")
    blocks = folder / "blocks"
    shutil.copytree(data.blocks, blocks, copy_function=os.link)
    with prometheus(folder, blocks) as server:
        yield server


@pytest.fixture(scope="session")
def history_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return made_once("history", write_history, tmp_path_factory)


@pytest.fixture(scope="session")
def history_prometheus(
    history_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with serving(history_data, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def history_victoria(
    history_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with victoria(tmp_path_factory.mktemp("victoria"), history_data.text) as server:
        yield server


@pytest.fixture(scope="session")
def planted_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return made_once("planted", write_text, tmp_path_factory)


@pytest.fixture(scope="session")
def planted_prometheus(
    planted_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with serving(planted_data, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def planted_victoria(
    planted_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with victoria(tmp_path_factory.mktemp("victoria"), planted_data.text) as server:
        yield server


@pytest.fixture(scope="session")
def pages_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return made_once("pages", write_pages, tmp_path_factory)


@pytest.fixture(scope="session")
def pages_prometheus(
    pages_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with serving(pages_data, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def pages_victoria(pages_data: Data, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with victoria(tmp_path_factory.mktemp("victoria"), pages_data.text) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    with object_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def clickhouse_server() -> ClickHouse:
    return shared_clickhouse()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sail_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sail(tmp_path_factory.mktemp("sail")) as url:
        RUNNING.append(url)
        yield url
