"""The servers on which Spark's tests run: Sail always, Apache Spark in the slow lane."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.spark.opened import write_requests
from tests.servers.spark import apache_spark


@pytest.fixture(scope="session", params=["sail", pytest.param("spark", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sail":
        yield request.getfixturevalue("sail_server")
        return
    with apache_spark(tmp_path_factory.mktemp("spark")) as address:
        yield address


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("requests")
    write_requests(folder)
    return f"parquet.`{folder}`"
