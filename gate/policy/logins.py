"""The names of people and of groups, compared in the same way as code hosts compare them.

GitHub and GitLab allow only ASCII in logins and compare them without regard to case. A text that
cannot be a login on either host equals no login: Python's own lower case would turn the Kelvin sign
into a ``k``, and an invisible character would make two equal names differ.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from gate.dataclass import dataclass

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
