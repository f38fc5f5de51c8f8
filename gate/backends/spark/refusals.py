"""The errors of Spark, and of the connection to it, without values of rows and stack traces."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for

if TYPE_CHECKING:
    import grpc

_TRANSPORT: Final[tuple[tuple[str, str, str], ...]] = (
    ("HTTP proxy|http_proxy", "the proxy refuses it", "proxy"),
    ("onnection refused", "connection refused", "connection-refused"),
    (
        "DNS resolution failed|Domain name not found|[Nn]ame or service not known",
        "the host name cannot be resolved",
        "unknown-host",
    ),
    ("has expired", "its certificate has expired", "expired-certificate"),
    (
        "[Hh]ostname [Vv]erification|[Pp]eer name .* not in peer certificate",
        "its certificate is for another host",
        "wrong-host-name",
    ),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted", "untrusted-certificate"),
    ("WRONG_VERSION_NUMBER|[Hh]andshake", "the TLS handshake failed", "spark-plain"),
    (
        "http1|HTTP/1|HTTP/2|content-type|http2 header",
        "another kind of server answers",
        "spark-server",
    ),
    ("[Tt]imed? ?out|FD Shutdown|nreachable|No route", "no connection in time", "no-connection"),
    ("Socket closed|[Cc]onnection (?:reset|closed)|Broken pipe", "it hung up", "spark-hung-up"),
)
"""Our words for gRPC's words about a connection, and the key of the remedy."""
_STATUS: Final[Mapping[str, tuple[str, str]]] = {
    "UNAUTHENTICATED": ("it does not accept the login", "spark-login"),
    "PERMISSION_DENIED": ("the login may not do this", "spark-rights"),
    "UNIMPLEMENTED": ("another kind of server answers", "spark-server"),
    "RESOURCE_EXHAUSTED": ("it is at its limits", "spark-overloaded"),
    "UNAVAILABLE": ("it is not available", "spark-overloaded"),
}
"""Our words, and the key of the remedy, for each status of gRPC,
https://grpc.github.io/grpc/core/md_doc_statuscodes.html."""
_CLASSES: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|CATALOG_NOT_FOUND|NO_SUCH_CATALOG|PATH_NOT_FOUND"
        "|REQUIRES_SINGLE_PART_NAMESPACE|UNABLE_TO_INFER_SCHEMA",
        "it has no such table or path",
        "spark-table",
    ),
    ("INSUFFICIENT_P|UNAUTHORIZED_ACCESS", "the login may not do this", "spark-rights"),
    ("INVALID_HANDLE|INVALID_CURSOR|SESSION", "the session has ended", "spark-session"),
    ("OPERATION_CANCEL|JOB_CANCEL", "somebody has cancelled the query there", "spark-cancelled"),
    ("FAILED_READ_FILE|FILE_NOT_EXIST|CANNOT_READ_FILE", "a file cannot be read", "spark-file"),
)
"""Our words, and the key of the remedy, for each beginning of an error class."""
_EXECUTOR_LOST: Final = re.compile(
    "ExecutorLost|executor.*lost|Lost executor|Slave lost|OutOfMemory|JobCancelled"
    "|SparkContext was shut ?down|stopped SparkContext"
)
_MISFIT: Final = re.compile(
    # For engines without error classes.
    "(?i)divi(?:de|sion) by zero|remainder by zero|can(?:no|')t cast|overflow|error parsing"
)
_CLASS: Final = re.compile(r"\[([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)?)\]")
_VALUE_STATE: Final = "22"
"""The SQLSTATE class of data exceptions; 42 is that of mistakes in the statement (ISO 9075)."""
_STATEMENT_STATE: Final = "42"
_RIGHTS_STATE: Final = "42501"
_OF_STATEMENTS: Final = ("INTERNAL", "INVALID_ARGUMENT", "UNKNOWN")
"""gRPC's statuses of errors about a statement."""
_PLACE: Final = re.compile(
    r"^== SQL .*position ([0-9]+)\) ==$.*?^ *(\^+)$", re.MULTILINE | re.DOTALL
)
_LONGEST: Final = 120
"""The maximum number of characters of an expression that a message repeats."""
_BEHIND: Final = re.compile(r"(?:\.? +SQLSTATE: .*|; line [0-9]+ pos [0-9]+;?.*|\n.*)", re.DOTALL)
"""The parts after the sentence: the state, the place, the whole plan."""
_QUOTED: Final = re.compile(r"""'[^']*'|"[^"]*"|[0-9]+(?:\.[0-9]+)?""")


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkFailure:
    """The failure of a call, in the words of gRPC and Spark."""

    status: str
    """gRPC's name of the status: ``UNAVAILABLE``."""
    text: str
    """Spark's own words, which may have values of rows."""
    error_class: str = ""
    """Such as ``CAST_INVALID_INPUT``; empty: the server has none."""
    state: str = ""
    """The SQLSTATE; empty: the server has none."""

    @property
    def passing(self) -> bool:
        """Whether the connection broke, so that a retry may succeed."""
        broken = self.status == "UNAVAILABLE" and not _reason_of(_TRANSPORT[:-1], self.text)
        return broken or self.error_class.startswith("INVALID_CURSOR.DISCONNECTED")


class SparkStatementError(MeasurementError):
    """The statement is wrong, and no row was read."""

    def __init__(self, words: str) -> None:
        reason = f"Spark refuses the statement: {words}"
        super().__init__(Cause.INVALID, reason + hint_for("spark-statement"))
        self.words = words
        """Spark's own words."""


def no_table() -> MeasurementError:
    """Return the refusal for a missing table."""
    return _unasked("it has no such table or path", "spark-table")


def failure_of(error: "grpc.RpcError") -> SparkFailure:
    """Return the failure of a call, from gRPC's status and trailing metadata."""
    from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415 - with the client only

    text, details = str(error.details() or ""), dict[str, str]()
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            information = error_details_pb2.ErrorInfo()
            detail.Unpack(information)  # any other value leaves it empty
            details.update(information.metadata)
    named = _CLASS.search(text)
    return SparkFailure(
        status=error.code().name,
        text=text,
        error_class=details.get("errorClass") or (named[1] if named else ""),
        state=details.get("sqlState", ""),
    )


def refusal(failure: SparkFailure, statement: str, *, reads: bool) -> MeasurementError:
    """Return the error for an answer that is missing.

    Args:
        failure: the failure of a call.
        statement: the sent statement; empty: no SQL.
        reads: whether rows were read, whose values Spark's words may repeat.
    """
    if failure.state.startswith(_VALUE_STATE) or (reads and _is_misfit(failure)):
        return MeasurementError(Cause.INVALID, _misfit(failure, statement))
    reason = _class_reason(failure)
    if reason is not None:
        return _unasked(*reason)
    # If a statement read nothing, an error without a class can only be a mistake in it.
    unnamed = not reads and not failure.state and failure.status in _OF_STATEMENTS
    if failure.state.startswith(_STATEMENT_STATE) or unnamed:
        return SparkStatementError(_own_words(failure))
    return _unasked(*_reason(failure))


def _unasked(reason: str, key: str) -> MeasurementError:
    return MeasurementError(
        Cause.BACKEND_ERROR, f"Spark cannot be queried: {reason}{hint_for(key)}"
    )


def _own_words(failure: SparkFailure) -> str:
    """Return Spark's sentence about a statement, only if no row was read."""
    text = _CLASS.sub("", failure.text, count=1).strip()
    return _BEHIND.sub("", text).rstrip(".;: ")


def _is_misfit(failure: SparkFailure) -> bool:
    return not failure.state and _MISFIT.search(failure.text) is not None


def _class_reason(failure: SparkFailure) -> tuple[str, str] | None:
    if failure.state == _RIGHTS_STATE:
        return _STATUS["PERMISSION_DENIED"]
    return _reason_of(_CLASSES, failure.error_class)


def _misfit(failure: SparkFailure, statement: str) -> str:
    kind = failure.error_class or "a wrong type, an overflow or a division by zero"
    place = _PLACE.search(failure.text)
    within = ""
    if place is not None and len(place[2]) <= _LONGEST:
        start = int(place[1]) - 1
        within = f" in {statement[start : start + len(place[2])]}"
    return (
        f"a value in the rows does not fit the expression ({kind}{within}){hint_for('spark-value')}"
    )


def _reason(failure: SparkFailure) -> tuple[str, str]:
    """Return our words and the key of the remedy."""
    if not failure.error_class and (reason := _reason_of(_TRANSPORT, failure.text)):
        return reason
    if _EXECUTOR_LOST.search(failure.text):
        return "a part of the cluster was lost", "spark-lost"
    if failure.status in _STATUS:
        return _STATUS[failure.status]
    words = failure.error_class or f"{failure.status}, {_masked(failure)}"
    return f"it failed ({words})", "spark-failed"


def _masked(failure: SparkFailure) -> str:
    """Return Spark's words without any possible value of a row."""
    return _QUOTED.sub("...", _own_words(failure))[:_LONGEST]


def _reason_of(table: tuple[tuple[str, str, str], ...], text: str) -> tuple[str, str] | None:
    fitting = ((words, key) for pattern, words, key in table if re.search(pattern, text))
    return next(fitting, None)
