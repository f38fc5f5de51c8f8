"""Names of people and of groups, compared as code hosts compare them.

GitHub and GitLab take logins of ASCII only and compare them without regard to case. A text that
neither can have as a login is equal to nobody: Python's own lower case would make the Kelvin sign a
``k``, and an invisible character would make somebody's own name another's.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from gate.dataclass import dataclass

WRITE: Final = "write"
"""Stands in a policy for all who may write to the repository."""
BOT: Final = "[bot]"
"""At the end of an app's login on GitHub, where no person's can have it."""
# https://docs.gitlab.com/user/reserved_names/ and Gitlab::PathRegex allow the most; GitHub's are
# letters, digits and hyphens: https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/
# iam-configuration-reference/username-considerations-for-external-authentication
_LOGIN: Final = r"(?:[A-Za-z0-9_.][A-Za-z0-9_.-]{0,253}[A-Za-z0-9_-]|[A-Za-z0-9_])"
_PERSON: Final = rf"{_LOGIN}(?:\[bot\])?"
_WANTED: Final = rf"{WRITE}|@{_LOGIN}(?:\[bot\]|(?:/{_LOGIN})+)?"
_GHOST: Final = "ghost"
"""Stands on both hosts for everybody whose account was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Whether somebody is one of those whom a policy names."""

    holds: bool
    """True only where it is known."""
    reason: str = ""
    """The fact that could not be found out, and might have made the difference; empty: none."""
    confirmed: bool = False
    """The code host says, too, that they have approved; else that is claimed."""


AskRight = Callable[[str, Sequence[str]], Right]
"""Says whether a name is one of those whom a policy names."""


def bare_name(name: str) -> str:
    """Return a login as it is compared, without ``@``; empty: no code host can have it."""
    text = name.removeprefix("@")
    return text.lower() if re.fullmatch(_PERSON, text) else ""


def account_name(login: str | None) -> str:
    """Return a login that a host gave, as it is compared; empty: nobody can say who that is."""
    name = bare_name(login or "")
    return "" if name == _GHOST else name


def is_bot(name: str) -> bool:
    """Tell whether a login is that of an app on GitHub."""
    return name.endswith(BOT)


def can_be_named(text: str) -> bool:
    """Tell whether a text of a policy can stand for a person, a group or ``write``."""
    return re.fullmatch(_WANTED, text) is not None


def is_group(name: str) -> bool:
    """Tell whether a name in a policy stands for several people, whom a code host knows."""
    return name == WRITE or "/" in name


def by_name(who: str, wanted: Sequence[str]) -> Right:
    """Return whether a policy names somebody themselves; who is in a team is not looked up."""
    name = bare_name(who)
    if not name:
        return Right(holds=False, reason=f"{who!r} is not a login that GitHub or GitLab can have")
    groups = [other for other in wanted if is_group(other)]
    if name in {bare_name(other) for other in wanted if other not in groups}:
        return Right(holds=True)
    reason = f"who is among {' or '.join(groups)} cannot be asked here" if groups else ""
    return Right(holds=False, reason=reason)
