"""The errors of PostgreSQL, and of the connection to it, in words.

A table has texts of users, and the server's words may repeat a value of a row (``invalid input
syntax for type integer: "..."``). So its words are shown only if no row was read yet: while it
connects, and while it parses a statement. Otherwise the message follows from the code of the error.
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

import re
from typing import Final

from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for

_PARSING: Final = frozenset(
    {"42601", "42703", "42702", "42704", "42803", "42804", "42809", "42846", "42883", "42725"}
    | {"42P01", "42P02", "42P08", "42P18", "42P19", "42P20", "42P21", "42P22"}
)
"""Codes of errors before any row is read, so that the words have no values."""
_WRONG: Final = {
    # By the code, or by its class: the first two characters. The mistake is in the policy or in the
    # rows.
    "22012": ("an expression divides by zero for some row", "unfit-value"),
    "22P02": ("a text does not fit the type that an expression casts it to", "unfit-value"),
    "22003": ("a number is too large for its type", "unfit-value"),
    "22007": ("a text cannot be read as a time", "unfit-value"),
    "22008": ("a time is out of range", "unfit-value"),
    "22021": ("a text has bytes that are not of its encoding", "unfit-value"),
    "2201B": ("a regular expression is not valid", "unfit-value"),
    "22": ("a value does not fit an expression", "unfit-value"),
    "42P01": ("the database has no such table", "unknown-table"),
    "3F000": ("the database has no such schema", "unknown-table"),
    "42703": ("the table has no such column", "unknown-database-column"),
    "42": ("the database does not accept an expression", "expression-type"),
    "21000": ("a part of the expression gives several rows", "expression-type"),
}
_FAILED: Final = {
    "42501": ("the user may not read the table, or a column of it", "no-right"),
    "28P01": ("the server does not accept the password", "database-login"),
    "28": ("the server does not admit this user", "not-admitted"),
    "3D000": ("the server has no such database", "no-database"),
    "57014": ("the statement was cancelled on the server", "slow-statement"),
    "57P03": ("the server takes no connections at the moment", "database-starting"),
    "57": ("the server ended the connection", "database-starting"),
    "55P03": ("another session locks the table", "locked-table"),
    "40001": ("the server cancelled the statement: it conflicts with changes", "replica-conflict"),
    "40": ("the server ended the transaction", "replica-conflict"),
    "53300": ("the server has no connection left", "database-full"),
    "53100": ("the server's disk is full", "database-full"),
    "53200": ("the server has no memory left", "database-full"),
    "53": ("a limit of the server is reached", "database-full"),
    "54": ("the statement is larger than the server allows", "database-full"),
    "25P03": ("the server ended the connection, since it was idle", "connection-lost"),
    "08": ("the connection was lost", "connection-lost"),
    "HV": ("the server behind a foreign table has failed", "server-log"),
    "XX": ("the server reports an internal error, or damaged data", "server-log"),
}
_ADDRESS: Final = re.compile("invalid (?!response)|missing key|missing .*=.*|unexpected character")
"""The errors of libpq about an address, before it connects."""
_CONNECTING: Final[tuple[tuple[re.Pattern[str], str, str], ...]] = (
    # While psycopg2 connects, errors have no code, only the words of libpq and of the server; the
    # latter may be in another language than English.
    (re.compile("Connection refused"), "the connection was refused", "connection-refused"),
    (re.compile("could not translate host name"), "the host is not known", "unknown-host"),
    (
        re.compile("socket .* failed: No such file"),
        "there is no such socket",
        "connection-refused",
    ),
    (
        re.compile("password authentication failed|no password supplied|empty password"),
        "the server does not accept the user or the password",
        "database-login",
    ),
    (
        re.compile("no pg_hba.conf entry|pg_hba.conf rejects|not permitted to log in"),
        *_FAILED["28"],
    ),
    (re.compile("authentication failed|role .* does not exist"), *_FAILED["28"]),
    (re.compile("database .* does not exist"), *_FAILED["3D000"]),
    (
        re.compile("too many (?:clients|connections)|remaining connection slots"),
        *_FAILED["53300"],
    ),
    (
        re.compile("starting up|shutting down|recovery mode|not accepting connections"),
        *_FAILED["57P03"],
    ),
    (
        re.compile("does not support SSL"),
        "the server offers no TLS, and sslmode asks for it",
        "database-tls",
    ),
    (
        re.compile("does not match host name"),
        "the server's certificate is for another host",
        "database-tls",
    ),
    (
        re.compile("certificate verify failed|root certificate"),
        "the server's certificate is not trusted",
        "database-tls",
    ),
    (re.compile("certificate|SSL error"), "TLS fails", "database-tls"),
    (
        re.compile("invalid response to SSL negotiation|expected authentication request|protocol"),
        "a program other than PostgreSQL answers",
        "not-postgres",
    ),
    (
        re.compile("timeout expired|timed out|[Nn]o route|unreachable"),
        "there was no connection in time",
        "no-connection",
    ),
    (re.compile("closed the connection|reset by peer"), *_FAILED["08"]),
)
_ROW_SECURITY: Final = re.compile("row-level security")
_LEAD: Final = re.compile(r"^(?:connection to server .*? failed: )?(?:[A-ZÀ-Ý]+:\s+)?")


class PostgresRefusedError(MeasurementError):
    """A statement failed with an error of the server."""

    def __init__(self, cause: Cause, reason: str, words: str) -> None:
        """Keep the words, which may repeat values of rows if the statement has read any."""
        super().__init__(cause, reason)
        self.words = words


def failed(reason: str, key: str = "") -> MeasurementError:
    """Return a refusal for a fault of the server or of its connection.

    Args:
        reason: the reason without a full stop.
        key: the key of the remedy in `gate.measure.remedies.REMEDIES`.
    """
    return MeasurementError(Cause.BACKEND_ERROR, f"{reason}{hint_for(key)}")


def wrong(reason: str, key: str = "") -> MeasurementError:
    """Return a refusal for a mistake in the policy, or in the content of rows."""
    return MeasurementError(Cause.INVALID, f"{reason}{hint_for(key)}")


def not_connected(words: str, server: str) -> MeasurementError:
    """Return the error for a connection that failed.

    Args:
        words: the words of libpq, without any secret.
        server: the server in messages.
    """
    if _ADDRESS.match(words):
        return wrong("backend.url is not a valid address", "database-address")
    for pattern, reason, key in _CONNECTING:
        if pattern.search(words):
            return failed(f"no connection to {server}: {reason}", key)
    said = _LEAD.sub("", words.splitlines()[-1]) if words else "no reason is given"
    return failed(f"no connection to {server}: {said}", "server-log")


def refusal(code: str | None, words: str) -> MeasurementError:
    """Return the refusal for a failed statement.

    Args:
        code: the error's SQLSTATE; None: the connection was lost.
        words: the server's words, without any secret; shown only if they have no row's value.
    """
    if code is None:
        return failed(*_FAILED["08"])
    if code == "42501" and _ROW_SECURITY.search(words):
        return failed("row-level security hides rows of the table from the user", "row-security")
    for key in (code, code[:2]):
        if key in _WRONG:
            reason, remedy = _WRONG[key]
            said = f"{reason}: {words}" if code in _PARSING else reason
            return PostgresRefusedError(Cause.INVALID, f"{said}{hint_for(remedy)}", words)
        if key in _FAILED:
            return failed(*_FAILED[key])
    return failed(f"the server reports the error {code}", "server-log")
