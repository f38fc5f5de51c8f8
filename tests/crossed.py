"""Of tests that are marked `crossed`, `make test` runs a diagonal of their parameters.

What goes wrong for one value goes wrong for it on the diagonal, where each value stands at least
once. What goes wrong for a pair of values only is found by `make slow`, which runs them all.
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


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is not on the diagonal of its function as ``slow``."""
    functions = defaultdict[object, list[pytest.Function]](list)
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("crossed"):
            functions[item.parent, item.originalname].append(item)
    for tests in functions.values():
        combinations = combinations_of(tests)
        quick = diagonal(combinations)
        for test, combination in zip(tests, combinations, strict=True):
            if combination not in quick:
                test.add_marker("slow")
