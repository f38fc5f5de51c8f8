"""People: the names of people and of groups, and the authors of a change, who cannot approve it.

GitHub and GitLab allow only ASCII in logins and compare them without regard to case. A text that
cannot be a login on either host equals no login: Python's own lower case would turn the Kelvin sign
into a ``k``, and an invisible character would make two equal names differ.

An author is everyone who is known to have contributed to a change. A commit whose writer has no
account at the code host has only a name and an e-mail address; an account that may belong to this
writer cannot approve it either. Name and address are the writer's own choice, so they can only take
approvals away: the host vouches for the account that pushed.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Final

from gate.dataclass import dataclass

# 583231+octocat@users.noreply.github.com, octocat@users.noreply.github.com and
# 583231-octocat@users.noreply.gitlab.com; self-hosted servers have their own host name there.
_NO_REPLY: Final = r"(?:[0-9]+\+)?((?:[0-9]+-)?)([^@+\s]+)@users\.noreply\.[^@\s]+"
_ALSO: Final = "co-authored-by"
_LONGEST: Final = 80
"""The maximum length of a name in a report."""
WRITE: Final = "write"
"""The word in a policy for everyone who may write to the repository."""
BOT: Final = "[bot]"
"""The end of an app's login on GitHub; the login of a person cannot end so."""


# https://docs.gitlab.com/user/reserved_names/ and Gitlab::PathRegex allow the most; GitHub allows
# letters, digits and hyphens:
# https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/
# iam-configuration-reference/username-considerations-for-external-authentication
_LOGIN: Final = r"(?:[A-Za-z0-9_.][A-Za-z0-9_.-]{0,253}[A-Za-z0-9_-]|[A-Za-z0-9_])"
_PERSON: Final = rf"{_LOGIN}(?:\[bot\])?"
_WANTED: Final = rf"{WRITE}|@{_LOGIN}(?:\[bot\]|(?:/{_LOGIN})+)?"
_GHOST: Final = "ghost"
"""The login that both hosts use for every deleted account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Whether somebody is one of the people whom a policy names."""

    holds: bool
    """True only if this is known."""
    reason: str = ""
    """The fact that could not be found out, and might have made a difference; empty: none."""
    confirmed: bool = False
    """Whether the code host confirms that they have approved; otherwise it is only claimed."""


AskRight = Callable[[str, Sequence[str]], Right]
"""A function that returns whether a login is among the names in a policy."""


def bare_name(name: str) -> str:
    """Return a login in a form to be compared, without ``@``; empty if no code host can have it."""
    text = name.removeprefix("@")
    return text.lower() if re.fullmatch(_PERSON, text) else ""


def account_name(login: str | None) -> str:
    """Return a login from a host in a form to be compared; empty if the account is unknown."""
    name = bare_name(login or "")
    return "" if name == _GHOST else name


def is_bot(name: str) -> bool:
    """Return whether a login is that of an app on GitHub."""
    return name.endswith(BOT)


def can_be_named(text: str) -> bool:
    """Return whether a text in a policy can be the name of a person, a group or ``write``."""
    return re.fullmatch(_WANTED, text) is not None


def is_group(name: str) -> bool:
    """Return whether a name in a policy means several people, whom a code host knows."""
    return name == WRITE or "/" in name


def by_name(who: str, wanted: Sequence[str]) -> Right:
    """Return whether a policy names somebody directly; members of teams are not looked up."""
    name = bare_name(who)
    if not name:
        return Right(holds=False, reason=f"{who!r} is not a login that GitHub or GitLab can have")
    groups = [other for other in wanted if is_group(other)]
    if name in {bare_name(other) for other in wanted if other not in groups}:
        return Right(holds=True)
    reason = (
        f"the members of {' or '.join(groups)} are unknown without a code host" if groups else ""
    )
    return Right(holds=False, reason=reason)


@dataclass(frozen=True, slots=True)
class Signature:
    """The name and address of a commit's writer who has no account that the host knows."""

    name: str
    email: str = ""

    def may_be(self, profile: "Profile") -> bool:
        """Return whether its name or address is that of an account."""
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
        """Return the logins of an address that the host itself assigns; usually there are none."""
        match = re.fullmatch(_NO_REPLY, self.email.strip())
        if match is None:
            return ()
        names = (match[2], f"{match[1]}{match[2]}")
        return tuple(dict.fromkeys(filter(None, map(account_name, names))))


@dataclass(frozen=True, slots=True)
class Profile:
    """The names and addresses of an account, which signatures are compared with."""

    login: str
    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """The authors of a change."""

    parts: Mapping[str, str] = field(default_factory=dict)
    """The deeds of each normalized login, as words after the name: ``wrote a commit``."""
    signatures: tuple[Signature, ...] = ()
    unknown: str = ""
    """The reason why there may be other authors; then anybody may be an author. Empty: no
    reason."""

    def part(self, login: str) -> str:
        """Return what an account did; empty if it is not known to have done anything."""
        return self.parts.get(account_name(login), "")

    def __add__(self, other: "Authors") -> "Authors":
        """Return the authors of both; the first thing that an account did is kept."""
        return Authors(
            parts={**other.parts, **self.parts},
            signatures=tuple(dict.fromkeys((*self.signatures, *other.signatures))),
            unknown=self.unknown or other.unknown,
        )


def accounts(logins: Iterable[str | None], part: str) -> Authors:
    """Return the accounts that did something; a deleted or empty login leaves an author unknown."""
    names = [account_name(login) for login in logins]
    unknown = (
        "" if all(names) else f"it is not known who {part}: the account is gone, or has no name"
    )
    return Authors(parts=dict.fromkeys(filter(None, names), part), unknown=unknown)


def signed(signatures: Iterable[Signature], part: str) -> Authors:
    """Return the authors by their signatures; addresses that the host assigns are logins."""
    parts, others = dict[str, str](), list[Signature]()
    for signature in signatures:
        logins = signature.logins()
        parts.update(dict.fromkeys(logins, part))
        if not logins:
            others.append(signature)
    return Authors(parts=parts, signatures=tuple(others))


def co_authors(message: str) -> Authors:
    """Return the co-authors that a commit's message names.

    The message of an accepted suggestion names its author:
    https://docs.github.com/en/pull-requests/committing-changes-to-your-project/creating-and-editing-commits/creating-a-commit-with-multiple-authors
    """
    lines = (line.partition(":") for line in message.splitlines())
    values = [value for key, _, value in lines if key.strip().lower() == _ALSO]
    return signed(map(_signature, values), "wrote a commit with somebody else")


def _signature(text: str) -> Signature:
    """Read ``Ada Lovelace <ada@example.com>``; without an address, the whole text is the name."""
    name, _, address = text.rpartition("<")
    return (
        Signature(name.strip(), address.partition(">")[0].strip())
        if name
        else Signature(text.strip())
    )


def _letters(text: str) -> str:
    """Return a name in a form in which its spellings are equal: Ada.Lovelace and ada lovelace."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())
