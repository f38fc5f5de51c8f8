"""Whom a policy names, as far as names tell."""

import pytest

from gate.policy.override import Right, by_name


@pytest.mark.parametrize("who", ["grace", "@grace", " @Grace "])
def test_a_person_is_known_by_name_under_any_spelling(who: str) -> None:
    assert by_name(who, ("@edsger", "@Grace")) == Right(holds=True)


def test_who_is_not_named_is_nobody() -> None:
    assert by_name("@alan", ("@grace",)) == Right(holds=False)


@pytest.mark.parametrize("who", ["@acme/sre", "acme/sre", "write", "@write"])
def test_a_group_is_no_person_whatever_somebody_calls_themselves(who: str) -> None:
    right = by_name(who, ("@acme/sre", "write"))
    assert right == Right(
        holds=False, reason="who is among @acme/sre or write cannot be asked here"
    )
