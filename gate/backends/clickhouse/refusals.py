"""The error codes of ClickHouse in words, and the remedy for each."""

from typing import Final

from gate.dataclass import dataclass
from gate.measure import Cause
from gate.request_failure import RequestFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseFailure(RequestFailure):
    """The reason why a query returned no rows."""

    code: int | None = None
    """The code of ClickHouse's exception; None: it is not one."""
    remedy: str = ""
    """The key of an entry of `gate.measure.remedies.REMEDIES`; empty: that of ``trouble``."""
    cause: Cause = Cause.BACKEND_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The meaning of one code."""

    remedy: str = ""
    """The key of an entry of `gate.measure.remedies.REMEDIES`."""
    cause: Cause = Cause.BACKEND_ERROR
    quotable: bool = True
    """Whether the server's words are only about the statement and the server: some messages repeat
    the value of a row that could not be converted."""
    transient: bool = False
    """Whether the same statement may succeed in a moment."""


UNKNOWN_CODE: Final = Meaning(remedy="clickhouse-error", quotable=False)
_LOGIN: Final = Meaning(remedy="clickhouse-login")
_RIGHTS: Final = Meaning(remedy="clickhouse-rights")
_READONLY: Final = Meaning(remedy="clickhouse-readonly")
_TABLE: Final = Meaning(remedy="clickhouse-table")
_COLUMN: Final = Meaning(remedy="clickhouse-column", cause=Cause.INVALID)
_EXPRESSION: Final = Meaning(remedy="clickhouse-expression", cause=Cause.INVALID)
_VALUE: Final = Meaning(remedy="clickhouse-value", cause=Cause.INVALID, quotable=False)
_TIMEOUT: Final = Meaning(remedy="clickhouse-timeout")
_MEMORY: Final = Meaning(remedy="clickhouse-memory")
_LIMIT: Final = Meaning(remedy="clickhouse-limit")
_LARGE: Final = Meaning(remedy="clickhouse-large")
_SHARDS: Final = Meaning(remedy="clickhouse-shards", cause=Cause.PARTIAL)
_BUSY: Final = Meaning(remedy="clickhouse-busy", transient=True)
_DAMAGED: Final = Meaning(remedy="clickhouse-damaged", quotable=False)
CODES: Final = {
    # https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
    **dict.fromkeys((192, 193, 194, 516), _LOGIN),
    **dict.fromkeys((291, 482, 497), _RIGHTS),
    **dict.fromkeys((164, 452), _READONLY),
    **dict.fromkeys((60, 81, 390), _TABLE),
    **dict.fromkeys((8, 10, 16, 47), _COLUMN),
    **dict.fromkeys((42, 43, 44, 46, 53, 62, 63, 179, 184, 215, 223, 386), _EXPRESSION),
    **dict.fromkeys((6, 27, 38, 41, 69, 70, 72, 153, 321, 349, 407, 427, 457, 691), _VALUE),
    **dict.fromkeys((159, 160), _TIMEOUT),
    241: _MEMORY,
    **dict.fromkeys((158, 161, 191, 201, 290, 307, 396), _LIMIT),
    **dict.fromkeys((167, 168, 306, 438), _LARGE),
    **dict.fromkeys((198, 209, 210, 265, 279, 369, 519), _SHARDS),
    **dict.fromkeys((202, 203, 252, 373), _BUSY),
    **dict.fromkeys((40, 76, 107, 117, 246, 271, 354, 432), _DAMAGED),
    **dict.fromkeys((115, 472), Meaning(remedy="clickhouse-version")),
}
"""The meaning of each exception code; any other code has `UNKNOWN_CODE`."""
