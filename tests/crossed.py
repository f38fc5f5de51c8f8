"""``make test`` runs some of the parameters of tests that are marked `crossed` or `variants`.

Of what is `crossed` it runs a diagonal. What goes wrong for one value goes wrong for it on the
diagonal, where each value stands at least once; what goes wrong for a pair of values only is found
by `make slow`, which runs them all.

Of what is marked ``variants(n)`` it runs n, spread evenly over the table: variants of one claim, of
which neighbours resemble one another. `make slow` runs the others.
"""

from collections import defaultdict
from collections.abc import Sequence

import pytest

Combination = tuple[int, ...]
"""For each ``parametrize`` of a test the place of its values."""


def diagonal(combinations: Sequence[Combination]) -> set[Combination]:
    """Return the combinations in which the value of each parameter stands at least once."""
    lengths = [1 + max(places) for places in zip(*combinations, strict=True)]
    return {tuple(number % length for length in lengths) for number in range(max(lengths))} & set(
        combinations
    )


def combinations_of(tests: Sequence[pytest.Function]) -> list[Combination]:
    """Return the combination that each of the tests of one function has."""
    columns = []
    for mark in tests[0].iter_markers("parametrize"):
        names = mark.args[0]
        names = names.split(",") if isinstance(names, str) else names
        values = [tuple(id(test.callspec.params[name.strip()]) for name in names) for test in tests]
        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
        columns.append([places[value] for value in values])
    return list(zip(*columns, strict=True))


def spread(number: int, length: int) -> set[int]:
    """Return so many places of a table, from its first to its last; all where it has no more."""
    if number >= length:
        return set(range(length))
    return {place * (length - 1) // max(1, number - 1) for place in range(number)}


def functions_with(marker: str, items: Sequence[pytest.Item]) -> Sequence[list[pytest.Function]]:
    """Return for each function that has the marker its tests, in their order."""
    functions = defaultdict[object, list[pytest.Function]](list)
    for item in items:
        slow = item.get_closest_marker("slow")
        if isinstance(item, pytest.Function) and item.get_closest_marker(marker) and not slow:
            functions[item.parent, item.originalname].append(item)
    return list(functions.values())


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test` leaves out as ``slow``."""
    for tests in functions_with("crossed", items):
        combinations = combinations_of(tests)
        quick = diagonal(combinations)
        for test, combination in zip(tests, combinations, strict=True):
            if combination not in quick:
                test.add_marker("slow")
    for tests in functions_with("variants", items):
        marker = tests[0].get_closest_marker("variants")
        assert marker is not None
        (number,) = marker.args
        places = spread(number, len(tests))
        for place, test in enumerate(tests):
            if place not in places:
                test.add_marker("slow")
