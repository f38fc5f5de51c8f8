"""Globs over paths and branch names, as policies write them."""

import re
from functools import cache
from typing import Final

_TOKEN: Final = re.compile(r"/\*\*$|(?:^|(?<=/))\*\*/|\*\*|\*|\?|[^*?/]+|/")
_WILD: Final = {"/**": "(?:/.*)?", "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(glob: str, path: str) -> bool:
    """Return whether a path, with ``/``, matches a glob as a whole.

    ``*`` and ``?`` stay within one folder; ``**`` does not: ``models/**`` is all below ``models``,
    ``**/prompt.md`` is a file of this name in any folder, the top one included.
    """
    return _compiled(glob).fullmatch(path) is not None


@cache
def _compiled(glob: str) -> re.Pattern[str]:
    parts = (_WILD.get(token) or re.escape(token) for token in _TOKEN.findall(glob))
    return re.compile("".join(parts), re.DOTALL)
