"""Whose change it is: everyone who had a part in it, as far as is known.

Nobody of them can approve it. A commit whose writer has no account at the code host has only a
name and an e-mail address; whoever that might be cannot approve it either. Both are the writer's
to choose, so that they can only take approvals away: it is the account that pushed which the host
vouches for.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from gate.dataclass import dataclass
from gate.policy.logins import account_name

# 583231+octocat@users.noreply.github.com, octocat@users.noreply.github.com and
# 583231-octocat@users.noreply.gitlab.com; servers of one's own have their own host there.
_NO_REPLY: Final = r"(?:[0-9]+\+)?((?:[0-9]+-)?)([^@+\s]+)@users\.noreply\.[^@\s]+"
_ALSO: Final = "co-authored-by"
_LONGEST: Final = 80
"""Letters of a name that a report shows."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of a commit whose writer has no account that the host knows."""

    name: str
    email: str = ""

    def may_be(self, profile: "Profile") -> bool:
        """Tell whether its name or address is that of an account."""
        own = {_letters(profile.login), *map(_letters, profile.names)}
        local = self.email.partition("@")[0].partition("+")[0]
        addresses = {address.casefold() for address in profile.emails}
        return not own.isdisjoint({_letters(self.name), _letters(local)} - {""}) or (
            self.email.casefold() in addresses
        )

    def __str__(self) -> str:
        text = self.name or self.email or "somebody without a name"
        shown = "".join(letter if letter.isprintable() else " " for letter in text)
        return " ".join(shown.split())[:_LONGEST]

    def logins(self) -> tuple[str, ...]:
        """Return the logins of an address that the host itself hands out; mostly none."""
        match = re.fullmatch(_NO_REPLY, self.email.strip())
        if match is None:
            return ()
        names = (match[2], f"{match[1]}{match[2]}")
        return tuple(dict.fromkeys(filter(None, map(account_name, names))))


@dataclass(frozen=True, slots=True)
class Profile:
    """The names and addresses of an account, to compare signatures with."""

    login: str
    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """Whose change it is."""

    parts: Mapping[str, str] = field(default_factory=dict)
    """Login, as it is compared -> what they did, as it follows the name: ``wrote a commit``."""
    signatures: tuple[Signature, ...] = ()
    unknown: str = ""
    """The reason why there may be others; then nobody is distinguished from them. Empty: none."""

    def part(self, login: str) -> str:
        """Return what somebody did; empty: nothing that is known."""
        return self.parts.get(account_name(login), "")

    def __add__(self, other: "Authors") -> "Authors":
        """Return the authors of both; what somebody did first is kept."""
        return Authors(
            parts={**other.parts, **self.parts},
            signatures=tuple(dict.fromkeys((*self.signatures, *other.signatures))),
            unknown=self.unknown or other.unknown,
        )


def accounts(logins: Iterable[str | None], part: str) -> Authors:
    """Return those who did one thing; a login that stands for nobody leaves somebody unknown."""
    names = [account_name(login) for login in logins]
    unknown = (
        "" if all(names) else f"it is not known who {part}: the account is gone, or has no name"
    )
    return Authors(parts=dict.fromkeys(filter(None, names), part), unknown=unknown)


def signed(signatures: Iterable[Signature], part: str) -> Authors:
    """Return those who signed; addresses that the host hands out are logins."""
    parts, others = dict[str, str](), list[Signature]()
    for signature in signatures:
        logins = signature.logins()
        parts.update(dict.fromkeys(logins, part))
        if not logins:
            others.append(signature)
    return Authors(parts=parts, signatures=tuple(others))


def co_authors(message: str) -> Authors:
    """Return those whom a commit's message names as having written it with somebody else.

    An accepted suggestion names its author so:
    https://docs.github.com/en/pull-requests/committing-changes-to-your-project/creating-and-editing-commits/creating-a-commit-with-multiple-authors
    """
    lines = (line.partition(":") for line in message.splitlines())
    values = [value for key, _, value in lines if key.strip().lower() == _ALSO]
    return signed(map(_signature, values), "wrote a commit with somebody else")


def _signature(text: str) -> Signature:
    """Read ``Ada Lovelace <ada@example.com>``; without an address it is a name alone."""
    name, _, address = text.rpartition("<")
    return (
        Signature(name.strip(), address.partition(">")[0].strip())
        if name
        else Signature(text.strip())
    )


def _letters(text: str) -> str:
    """Return what two spellings of a name have in common: Ada.Lovelace and ada lovelace."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())
