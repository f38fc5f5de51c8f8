"""Each engine with the same hostile rows, once a run."""

from collections.abc import Iterator

import pytest

from tests.engines.hostile import HostileRow, hostile_rows
from tests.engines.loaded import ENGINES, SLOW, Loaded

PARAMETERS = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in ENGINES
]


@pytest.fixture(scope="session")
def rows() -> list[HostileRow]:
    return hostile_rows()


@pytest.fixture(scope="session", params=PARAMETERS)
def engine(
    request: pytest.FixtureRequest,
    rows: list[HostileRow],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Loaded]:
    yield from ENGINES[request.param](rows, tmp_path_factory.mktemp("engine"))
