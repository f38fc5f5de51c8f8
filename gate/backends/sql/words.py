"""The words of an expression: none may read more than the row, and only some may be called."""

import re
from collections.abc import Sequence
from typing import Final

from gate.backends.sql.functions import FUNCTIONS
from gate.backends.sql.tokens import SqlToken, TokenError

_READERS: Final = """
select table values exists over union intersect except lateral user current_user session_user
system_user current_role current_catalog current_schema current_database current_date current_time
current_timestamp localtime localtimestamp
"""
_FORBIDDEN: Final = frozenset(_READERS.split())
"""Words that read other data, the clock or the user, even without brackets."""
_COLUMNS: Final = {"clickhouse": {"user"}}
"""The forbidden words that are ordinary names in an engine."""
_OF_THE_DAY: Final = re.compile(
    r"'.*(?<![A-Za-z])(?:now|today|tomorrow|yesterday)(?![A-Za-z]).*'",
    re.IGNORECASE | re.DOTALL,
)
"""Texts that PostgreSQL and Spark read as the current time if a time is expected.

PostgreSQL ignores any other sign: it reads 'now!' as a time."""
_AGGREGATES: Final = frozenset({"count", "sum", "avg", "min", "max", "countif", "sumif"})
"""The usual aggregates; the others are refused like any other function."""
_LONGEST_TIME: Final = 130
"""The most characters of a text that PostgreSQL reads as a time (MAXDATELEN is 128)."""
_MAY_FOLLOW: Final = frozenset({"like", "ilike", "rlike", "regexp", "~", "~*", "!~", "!~*"})
"""Words after which no time is expected ..."""
_OF_JSON: Final = frozenset({"->", "->>", "#>", "#>>", "?"})
"""... nor after these."""
_NOTHING: Final = SqlToken("nothing", "", 0)


def check_words(tokens: Sequence[SqlToken], dialect: str) -> None:
    """Raise an error for words and calls that may depend on more than the row.

    Raises:
        TokenError: there is such a word or call; the message has the remedy.
    """
    around = zip([_NOTHING, *tokens], tokens, [*tokens[1:], _NOTHING], strict=False)
    for before, token, after in around:
        if token.kind == "word":
            _check_word(before, token, dialect)
        if token.kind in {"word", "name"} and after.is_sign("("):
            _check_call(before, token, dialect)
        if token.kind == "string" and dialect != "clickhouse":
            _check_text(before, token)
        _check_sign(before, token, after, dialect)


def _check_sign(before: SqlToken, token: SqlToken, after: SqlToken, dialect: str) -> None:
    if token.is_sign("(") and after.is_sign(")"):
        reason = "the brackets are empty, so that it is not about the row; remove it"
        raise TokenError(reason, token.place)
    if token.is_sign(".") and dialect == "postgres":
        reason = "there is a point between names; write the column's name alone, or use ->>"
        raise TokenError(reason, token.place)
    of_a_number = before.kind in {"word", "name", "number", "string"} or before.is_sign(")", "]")
    if token.text == "*" and not of_a_number:
        raise TokenError("it holds a star; name the column", token.place)


def _check_word(before: SqlToken, token: SqlToken, dialect: str) -> None:
    if token.lower not in _FORBIDDEN - _COLUMNS.get(dialect, set()) or before.is_sign("."):
        return
    reason = f"{token.text} may read more than the row; put it in quotes if it is a column's name"
    raise TokenError(reason, token.place)


def _check_call(before: SqlToken, token: SqlToken, dialect: str) -> None:
    if before.is_sign("."):
        raise TokenError(f"{token.text} is called with its schema; leave that out", token.place)
    if token.lower in _AGGREGATES:
        reason = f"{token.text}() is about many rows; write a condition about one: the gate counts"
        raise TokenError(reason, token.place)
    if token.kind == "name" or token.lower not in FUNCTIONS[dialect]:
        raise TokenError(
            f"{token.text}() is not among the functions that may be called: those that give for the"
            " same row the same value, and need no more time and memory than the row has; use a"
            " comparison, CASE, or a function of numbers, texts, times or JSON",
            token.place,
        )


def _check_text(before: SqlToken, token: SqlToken) -> None:
    is_short = len(token.text) <= _LONGEST_TIME
    if before.lower in _MAY_FOLLOW | _OF_JSON or not is_short:
        return
    if not _OF_THE_DAY.fullmatch(token.text):
        return
    reason = "may be the time of the clock for the engine; write a time, or LIKE for a text"
    raise TokenError(f"{token.text} {reason}", token.place)
