"""Whom a policy names, as far as names tell."""

import pytest

from gate.policy.authors import Right, account_name, bare_name, by_name, can_be_named


@pytest.mark.parametrize("who", ["grace", "@grace", "@GRACE"])
def test_a_person_is_known_by_name_under_any_spelling(who: str) -> None:
    assert by_name(who, ("@edsger", "@Grace")) == Right(holds=True)


def test_who_is_not_named_is_nobody() -> None:
    assert by_name("@alan", ("@grace",)) == Right(holds=False)


@pytest.mark.parametrize("who", ["write", "@write"])
def test_a_group_is_not_a_person_whatever_somebody_calls_themselves(who: str) -> None:
    right = by_name(who, ("@acme/sre", "write"))
    assert right == Right(
        holds=False, reason="the members of @acme/sre or write are unknown without a code host"
    )


@pytest.mark.parametrize(
    "who",
    [
        *("@acme/sre", "acme/sre", "", "@", "@@grace", " @grace", "grace ", "gr ace", "@grace\n"),
        *("grace.", "-grace", "gra\u200bce", "gr\u0430ce", "\uff47race", "grace\u0301", "grace\0"),
        *("\u202egrace", "gra\u00adce", "grace[bot]x", "grace\u2069", "@grace,@ada", "..", "."),
    ],
)
def test_what_no_code_host_can_have_is_nobody(who: str) -> None:
    right = by_name(who, ("@grace", who, "@acme/sre", "write"))
    assert right == Right(
        holds=False, reason=f"{who!r} is not a login that GitHub or GitLab can have"
    )


@pytest.mark.parametrize(
    "login, other",
    [
        ("\u212aelvin", "kelvin"),  # the Kelvin sign: Python's lower case of it is k
        ("gra\u017fs", "grass"),  # the long s: its case folding is s
        ("\u0130da", "ida"),  # the dotted capital I of Turkish
        ("stra\u00dfe", "strasse"),
    ],
)
def test_letters_that_python_folds_into_one_are_not_one(login: str, other: str) -> None:
    assert not by_name(login, (f"@{other}",)).holds
    assert not by_name(other, (f"@{login}",)).holds


@pytest.mark.parametrize(
    "login",
    [*("ada", "ADA-L", "octo_acme", "x", "1", "dependabot[bot]", "ada.lovelace_2", "a" * 39)],
)
def test_what_a_code_host_can_have_is_somebody(login: str) -> None:
    assert bare_name(f"@{login}") == login.lower()
    assert can_be_named(f"@{login}")


def test_anybody_who_means_deleted_accounts_is_nobody() -> None:
    assert (account_name("Ghost"), account_name(None), account_name("Ada")) == ("", "", "ada")
