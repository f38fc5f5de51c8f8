"""The answers of a ClickHouse server: complete rows, or an error with its reason."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, Final, NoReturn

from requests import Response

from gate.backends.clickhouse.dialect import ClickHouseDialect
from gate.backends.clickhouse.refusals import CODES, UNKNOWN_CODE, ClickHouseFailure
from gate.backends.sql.engine import Kind, Row
from gate.dataclass import dataclass
from gate.http import redirect_target, retry_after
from gate.request_failure import Trouble

_REDIRECTS: Final = range(300, 400)
_BUSY: Final = frozenset({429, 502, 503, 504})
_SAID: Final = re.compile(
    r"Code: (\d+)(?:\.|, e\.displayText\(\) =) DB::\w*Exception: (.*?)(?:, e\.what\(\) = .*)?\Z",
    re.DOTALL,
)
"""The form of an exception in ClickHouse, in a separate answer or after half an answer."""
_NAMED: Final = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?: \(version [^)]*\).*)?\s*$", re.DOTALL)
_WHERE: Final = re.compile(
    r"(?: because some of them are .*?)?: while executing function (\w+) on arguments"
    r" (?:__table\d+\.)?(\S+) .*",
    re.DOTALL,
)
"""The position of the error, with inner details of each argument."""
_REPEATED: Final = re.compile(
    r"[.:]? *\bIn scope (?:WITH|SELECT)\b.*|Expected one of: .*|Stack trace:.*",
    re.DOTALL | re.IGNORECASE,
)
"""The statement, which the message repeats, and details for developers."""
_NATIVE_PORT: Final = "is for clickhouse-client program"
_PLAIN_TO_TLS: Final = re.compile(b"(?i)plain http request|client sent an http request")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseReply:
    """A complete answer."""

    types: tuple[str, ...]
    rows: list[Row]
    """NaN values are NaN, unless the server was not asked to write them: then they are None."""
    limited: bool
    """Whether the server applied a limit on the number of rows, from the statement or elsewhere."""
    read: int | None
    """The number of bytes that the server has read for it; None: unknown."""

    @property
    def unclear(self) -> bool:
        """Whether some float is None."""
        kinds = [ClickHouseDialect().kind(name) for name in self.types]
        floats = [place for place, kind in enumerate(kinds) if kind is Kind.FLOAT]
        return any(row[place] is None for row in self.rows for place in floats)


class _Broken(Exception):
    """An incomplete answer; the text gives the sign of that."""


def read_reply(
    response: Response, content: bytes, now: datetime
) -> ClickHouseReply | ClickHouseFailure:
    """Read a response.

    Args:
        response: the response, whose content has been read.
        content: the whole content.
        now: the present time, for a Retry-After with a date.
    """
    status = response.status_code
    if status in _REDIRECTS:
        reason = f"it redirects to {redirect_target(response)}: probably a login page ({status})"
        return ClickHouseFailure(reason=reason, status=status, remedy="clickhouse-login-page")
    if response.headers.get("X-ClickHouse-Exception-Code") or status != HTTPStatus.OK:
        return _refusal(response, content, now)
    try:
        return _whole(response, content)
    except _Broken as broken:
        # An exception after the start of the answer is at its end, with the status 200:
        # https://clickhouse.com/docs/interfaces/http#http_response_codes_caveats
        text = content.decode("utf-8", "replace")
        place = text.rfind("Code: ")
        if place >= 0 and (said := _SAID.match(text, place)):
            return _exception(int(said[1]), said[2], status)
        if _is_html(response, content):
            return _not_clickhouse("an HTML page", status)
        reason = f"its answer is not whole: {broken}"
        return ClickHouseFailure(reason=reason, status=status, remedy="clickhouse-half")


def _is_html(response: Response, content: bytes) -> bool:
    """Return whether an answer is a page for people."""
    kind = response.headers.get("Content-Type", "").lower()
    return "html" in kind or content.lstrip()[:1] == b"<"


def _refusal(response: Response, content: bytes, now: datetime) -> ClickHouseFailure:
    status, text = response.status_code, content.decode("utf-8", "replace")
    header = response.headers.get("X-ClickHouse-Exception-Code", "")
    said = _SAID.search(text)
    if header.isdecimal() or said:
        code = int(header) if header.isdecimal() else int(said[1]) if said else 0
        return _exception(code, said[2] if said else "", status)
    name = f"{status} {response.reason or ''}".strip()
    if _NATIVE_PORT in text:
        reason = f"{name}: this is the port for ClickHouse's own programs"
        return ClickHouseFailure(reason=reason, status=status, remedy="clickhouse-server")
    if _PLAIN_TO_TLS.search(content):
        reason = f"{name}: it wants https"
        return ClickHouseFailure(reason=reason, status=status, trouble=Trouble.HTTPS_NEEDED)
    if status in _BUSY:
        return ClickHouseFailure(
            reason=name,
            status=status,
            transient=status != HTTPStatus.GATEWAY_TIMEOUT,
            remedy="clickhouse-busy",
            wait=retry_after(response.headers, now),
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ClickHouseFailure(reason=name, status=status, remedy="clickhouse-login")
    return _not_clickhouse(f"{name}, and not as ClickHouse does", status)


def _not_clickhouse(answer: str, status: int) -> ClickHouseFailure:
    reason = f"it answers with {answer}"
    return ClickHouseFailure(reason=reason, status=status, remedy="clickhouse-server")


def _exception(code: int, words: str, status: int) -> ClickHouseFailure:
    """Explain an exception of ClickHouse, without values of rows."""
    named = _NAMED.search(words)
    meaning = CODES.get(code, UNKNOWN_CODE)
    name = f"{code} {named[1]}" if named else f"error {code}"
    text = _WHERE.sub(r" (\1 of \2)", _REPEATED.sub("", _NAMED.sub("", words)))
    text = text.strip().rstrip(".:,")
    # A message that may not be only about the statement could repeat a value of a row.
    reason = f"{name}: {text}" if text and meaning.quotable else name
    return ClickHouseFailure(
        reason=reason,
        status=status,
        code=code,
        remedy=meaning.remedy,
        cause=meaning.cause,
        transient=meaning.transient,
    )


def _whole(response: Response, content: bytes) -> ClickHouseReply:
    """Return the rows of an answer in the format JSONCompact.

    Raises:
        _Broken: a part is missing, or a value is neither a number nor a text.
    """
    body = _json(content)
    if "exception" in body:
        raise _Broken("it has an exception")
    match body:
        case {"meta": [*meta], "data": [*data], "rows": int(count)}:
            types = tuple(_type_of(column) for column in meta)
        case _:
            raise _Broken("it has no rows")
    if len(data) != count:
        raise _Broken(f"it has {len(data)} rows, and {count} are announced")
    readers = [_READERS[ClickHouseDialect().kind(name)] for name in types]
    rows = [_row(values, readers) for values in data]
    limited = "rows_before_limit_at_least" in body
    return ClickHouseReply(
        types=types, rows=rows, limited=limited, read=_bytes_read(response, body)
    )


def _json(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(
            content.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise _Broken("it is not JSON, or it is cut off") from None
    if not isinstance(body, dict):
        raise _Broken("it is not an object")
    return body


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _type_of(column: object) -> str:
    match column:
        case {"type": str(name)}:
            return name
        case _:
            raise _Broken("a column has no type")


def _row(values: object, readers: Sequence[Callable[[Any], Any]]) -> Row:
    if not isinstance(values, list) or len(values) != len(readers):
        raise _Broken("a row has not as many values as there are columns")
    try:
        return tuple(
            None if value is None else read(value)
            for value, read in zip(values, readers, strict=True)
        )
    except (ValueError, TypeError, InvalidOperation):
        raise _Broken("a value does not have the type of its column") from None


def _whole_number(value: object) -> int:
    # Numbers of 64 bits and more are texts or numbers, depending on the server's settings.
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def _only(kind: type) -> Callable[[Any], Any]:
    def read(value: object) -> object:
        if not isinstance(value, kind):
            raise TypeError
        return value

    return read


_READERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.INTEGER: _whole_number,
    Kind.DECIMAL: Decimal,
    Kind.FLOAT: float,
    Kind.BOOLEAN: _only(bool),
    Kind.TEXT: _only(str),
    Kind.INSTANT: _only(str),
    Kind.OTHER: lambda value: value,
}


def _bytes_read(response: Response, body: dict[str, Any]) -> int | None:
    """Return the number of bytes of columns that the server has read, by its own count."""
    try:
        summary = json.loads(response.headers.get("X-ClickHouse-Summary", ""))
        return int(summary["read_bytes"])
    except (ValueError, TypeError, KeyError):
        statistics = body.get("statistics")
        read = statistics.get("bytes_read") if isinstance(statistics, dict) else None
        return read if isinstance(read, int) else None
