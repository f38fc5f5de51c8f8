"""Both kinds of real servers, in turn."""

import pytest


@pytest.fixture(scope="session", params=["prometheus", "victoria"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the address of each server of the history in turn."""
    address: str = request.getfixturevalue(f"history_{request.param}").url
    return address
