"""Whose change it is, as far as names and addresses tell."""

import pytest

from gate.policy.authors import Authors, Profile, Signature, accounts, co_authors, signed

GRACE = Profile("grace", ("Grace Hopper",), ("grace@navy.example",))


@pytest.mark.parametrize(
    "signature",
    [
        Signature("Grace Hopper"),
        Signature("grace.hopper"),
        Signature("GRACE", "x@y.example"),
        Signature("x", "Grace@Navy.example"),
        Signature("x", "grace@laptop.local"),
        Signature("x", "grace+work@laptop.local"),
        Signature("", "grace"),
    ],
)
def test_a_signature_may_be_that_of_an_account(signature: Signature) -> None:
    assert signature.may_be(GRACE)


@pytest.mark.parametrize(
    "signature",
    [
        Signature("Ada Lovelace", "ada@example.com"),
        Signature("", ""),
        Signature("Hopper", "g@x.example"),
        Signature("\U0001f600", "@"),
    ],
)
def test_another_signature_is_not(signature: Signature) -> None:
    assert not signature.may_be(GRACE)
    assert not Signature("\U0001f600").may_be(Profile("ada", ("\U0001f600",)))


@pytest.mark.parametrize(
    "address, logins",
    [
        ("grace@users.noreply.github.com", ("grace",)),
        ("1234+Grace@users.noreply.github.com", ("grace",)),
        ("2-grace@users.noreply.gitlab.com", ("grace", "2-grace")),
        ("7+dependabot[bot]@users.noreply.github.com", ("dependabot[bot]",)),
        ("7+grace@users.noreply.git.acme.example", ("grace",)),
        ("grace@noreply.github.com", ()),
        ("gr\u0430ce@users.noreply.github.com", ()),
        ("@users.noreply.github.com", ()),
        ("grace@example.com", ()),
        ("1" * 50_000 + "@x", ()),
    ],
)
def test_an_address_that_the_host_hands_out_is_a_login(
    address: str, logins: tuple[str, ...]
) -> None:
    assert Signature("x", address).logins() == logins
    by_address = signed([Signature("x", address)], "wrote a commit")
    assert tuple(by_address.parts) == logins
    assert bool(by_address.signatures) is not bool(logins)


@pytest.mark.parametrize(
    "message, signatures",
    [
        ("feat: x", ()),
        (
            "feat: x\n\nCo-authored-by: Grace Hopper <g@x.example>",
            (("Grace Hopper", "g@x.example"),),
        ),
        (
            "x\r\n\r\nco-AUTHORED-by : Grace <g@x.example>\r\nCo-authored-by: Alan",
            (("Grace", "g@x.example"), ("Alan", "")),
        ),
        ("x\n\n  Co-authored-by: <g@x.example>", (("", "g@x.example"),)),
        ("x\n\nCo-authored-by:" + " " * 50_000 + "<", (("", ""),)),
        ("x\n\nCo-authored-by: " + "<" * 50_000, None),
    ],
)
def test_a_message_names_who_wrote_it_too(
    message: str, signatures: tuple[tuple[str, str], ...] | None
) -> None:
    named = tuple((one.name, one.email) for one in co_authors(message).signatures)
    assert signatures is None or named == signatures


def test_authors_are_added_up_and_what_was_said_first_is_kept() -> None:
    both = accounts(["Ada"], "opened it") + accounts(["ADA", "@alan"], "pushed to it")
    assert both.parts == {"ada": "opened it", "alan": "pushed to it"}
    assert (both.part("@Ada"), both.part("grace"), both.unknown) == ("opened it", "", "")
    unknown = both + Authors(unknown="the host is down") + Authors(unknown="later")
    assert unknown.unknown == "the host is down"
    assert str(Signature("", "")) == "somebody without a name"


@pytest.mark.parametrize(
    "login", [None, "", "ghost", "Ghost", "gr\u0430ce", "ada lovelace", "@@ada"]
)
def test_a_login_that_means_nobody_leaves_somebody_unknown(login: str | None) -> None:
    authors = accounts(["ada", login], "opened it")
    assert authors.parts == {"ada": "opened it"}
    assert authors.unknown.startswith("it is not known who opened it")
