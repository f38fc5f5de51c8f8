"""The diagonal of crossed parameters has each of their values; variants are spread evenly."""

from itertools import product

import pytest

from tests.crossed import diagonal, spread


def test_each_value_is_on_the_diagonal() -> None:
    every = list(product(range(6), range(4)))

    assert diagonal(every) == {(0, 0), (1, 1), (2, 2), (3, 3), (4, 0), (5, 1)}


@pytest.mark.crossed
@pytest.mark.parametrize("a", [1, 2, 3])
@pytest.mark.parametrize(("b", "c"), [(1, 2), (3, 4)])
def test_a_combination_off_the_diagonal_is_slow(
    a: int, b: int, c: int, request: pytest.FixtureRequest
) -> None:
    slow = request.node.get_closest_marker("slow") is not None

    assert slow == ((a, b, c) not in {(1, 1, 2), (2, 3, 4), (3, 1, 2)})


@pytest.mark.parametrize(
    ("number", "length", "places"),
    [(3, 9, {0, 4, 8}), (2, 9, {0, 8}), (1, 9, {0}), (3, 3, {0, 1, 2}), (4, 2, {0, 1})],
)
def test_variants_are_spread_from_the_first_to_the_last(
    number: int, length: int, places: set[int]
) -> None:
    assert spread(number, length) == places


@pytest.mark.variants(3)
@pytest.mark.parametrize("number", range(9))
def test_a_variant_between_those_is_slow(number: int, request: pytest.FixtureRequest) -> None:
    slow = request.node.get_closest_marker("slow") is not None

    assert slow == (number not in {0, 4, 8})
