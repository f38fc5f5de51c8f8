"""Both kinds of real servers, in turn."""

from pathlib import Path

import pytest

ON_BOTH = {
    "test_doctor.py",
    "test_gate_check.py",
    "test_history.py",
    "test_series.py",
    "test_slo_files.py",
}
"""Modules of which `make test` asks VictoriaMetrics, too: what they ask, the others ask again."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the other modules on VictoriaMetrics to `make slow`."""
    for item in items:
        if item.path.parent != Path(__file__).parent or item.path.name in ON_BOTH:
            continue
        callspec = getattr(item, "callspec", None)
        if callspec is not None and "victoria" in map(str, callspec.params.values()):
            item.add_marker("slow")


@pytest.fixture(scope="session", params=["prometheus", "victoria"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the address of each server of the history in turn."""
    address: str = request.getfixturevalue(f"history_{request.param}").url
    return address
