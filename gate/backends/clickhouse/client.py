"""One ClickHouse server: a sent statement, and its answer."""

import secrets as randomness
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from gate.backends.clickhouse.refusals import ClickHouseFailure
from gate.backends.clickhouse.replies import ClickHouseReply, read_reply
from gate.backends.clickhouse.settings import (
    USUAL_HOSTS,
    ClickHouseSettings,
    login_headers,
    login_of,
    secrets,
)
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.http import Clock, Retries, Sender, persist
from gate.measure import MeasurementError
from gate.measure.remedies import hint_for
from gate.redaction import Redactor, redactable
from gate.request_failure import RequestFailure, Trouble

_FIRST_PAUSE: Final = 0.25
_LONGEST_CONNECT: Final = 10.0
_PIECE: Final = 1 << 16
_TO_STOP: Final = 2.0
"""The seconds for telling the server to stop a statement."""
_OWN_REMEDIES: Final = {
    Trouble.TOO_SLOW: "clickhouse-timeout",
    Trouble.WRONG_SERVER: "clickhouse-server",
    Trouble.UNKNOWN: "",
}
"""The remedies for connections if the general entries are about other servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """The time limit of an answer."""

    clock: Clock
    until: float

    def check(self) -> None:
        """Raise the timeout exception of `requests` if no time is left."""
        if self.clock.monotonic() >= self.until:
            raise requests.Timeout


class ClickHouseClient:
    """One server with a persistent connection. One thread queries; another may stop it."""

    def __init__(self, settings: ClickHouseSettings, clock: Clock | None = None) -> None:
        """Prepare; nothing is sent and no file is read yet.

        Raises:
            UsageError: the url is not valid.
        """
        self.clock = clock or Clock()
        try:
            url = urlsplit(settings.url.strip())
        except ValueError:  # its text may contain the url, and so a password
            raise UsageError("the url of the ClickHouse server cannot be read") from None
        bare = url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="")
        self._url = urlunsplit(bare._replace(path=bare.path.rstrip("/") + "/"))
        self.shown = settings.shown or urlunsplit(bare._replace(path=""))
        self._https = bare.scheme == "https"
        self._database = settings.database
        self._retries = Retries(count=settings.retries, first_pause=_FIRST_PAUSE)
        self._running: str | None = None
        # User and host are not secret by themselves, but not for everybody either.
        host = url.hostname if settings.shown and url.hostname not in USUAL_HOSTS else None
        hidden = [*secrets(settings), login_of(settings, url)[0], host]
        self._redacted = Redactor(redactable(hidden))
        session = requests.Session()
        if settings.cert is not None:
            session.cert = (str(settings.cert), str(settings.key or settings.cert))
        self._sender = Sender(
            session=session,
            headers={"Accept": "application/json", **login_headers(settings, url)},
            longest_connect=_LONGEST_CONNECT,
            verify=True if settings.ca is None else str(settings.ca),
        )

    def query(
        self, statement: str, parameters: Mapping[str, str], *, until: float
    ) -> ClickHouseReply | ClickHouseFailure:
        """Send one statement; raises only the user's interruption (Ctrl-C).

        On a timeout, and on Ctrl-C, this asks the server to stop.

        Args:
            statement: a statement that only reads.
            parameters: parameters of the address: settings for this statement.
            until: the deadline, on the clock's monotonic scale.
        """
        limit = _Limit(clock=self.clock, until=until)
        try:
            outcome = persist(
                lambda seconds: self._try(statement, parameters, seconds, limit),
                until=until,
                retries=self._retries,
                clock=self.clock,
            )
        except BaseException:
            self.stop()
            raise
        if isinstance(outcome, ClickHouseReply):
            self._running = None
            return outcome
        if outcome.timed_out:
            self.stop()
        self._running = None
        return self._shown(outcome)

    def stop(self) -> None:
        """Tell the server to stop this client's running statements; a failure is silent.

        Each user may stop its own statements:
        https://clickhouse.com/docs/sql-reference/statements/kill#kill-query
        """
        running, self._running = self._running, None
        if running is None:
            return
        # The connection is still busy with the abandoned answer.
        self._sender.session.close()
        statement = f"KILL QUERY WHERE query_id = '{running}' ASYNC"
        once = Retries(count=0, first_pause=0)
        end = self.clock.monotonic() + _TO_STOP
        persist(
            lambda seconds: self._send(statement, {}, seconds),
            until=end,
            retries=once,
            clock=self.clock,
        )

    def close(self) -> None:
        """Stop running statements, and close the connection."""
        self.stop()
        self._sender.session.close()

    def _try(
        self, statement: str, parameters: Mapping[str, str], seconds: float, limit: _Limit
    ) -> ClickHouseReply | RequestFailure:
        # Each try has its own id: the server refuses one that is still running.
        self._running = f"gate-{randomness.token_hex(16)}"
        response = self._send(
            statement,
            {
                "query_id": self._running,
                "default_format": "JSONCompact",
                # Otherwise an exception could follow a part of the answer, with the status 200.
                "wait_end_of_query": "1",
                **({} if self._database is None else {"database": self._database}),
                **parameters,
            },
            seconds,
        )
        with response:
            content = _content(response, limit)
        return read_reply(response, content, self.clock.now())

    def _send(
        self, statement: str, parameters: Mapping[str, str], seconds: float
    ) -> requests.Response:
        return self._sender.send(
            "POST", self._url, seconds=seconds, params=parameters, text=statement, stream=True
        )

    def _shown(self, failure: RequestFailure) -> ClickHouseFailure:
        """Add the server's name and the remedy, and make the server's words safe to show."""
        own = failure if isinstance(failure, ClickHouseFailure) else None
        trouble = failure.trouble
        if trouble is Trouble.HTTPS_NEEDED and self._https:
            trouble = Trouble.UNKNOWN
        key = (own.remedy if own else "") or _OWN_REMEDIES.get(trouble, trouble)
        reason = f"{self.shown}: {self._redacted(failure.reason)}{hint_for(key)}"
        if own is not None:
            return replace(own, reason=reason)
        return ClickHouseFailure(reason=reason, status=failure.status, timed_out=failure.timed_out)


def _content(response: requests.Response, limit: _Limit) -> bytes:
    """Read an answer as it comes, so that a slow one cannot hold up the run."""
    pieces = list[bytes]()
    # `read1` waits for any bytes, and `read` for all requested ones; since urllib3 2.1.
    read = getattr(response.raw, "read1", response.raw.read)
    try:
        while piece := read(_PIECE, decode_content=True):
            pieces.append(piece)
            limit.check()
    except ReadTimeoutError as error:
        raise requests.ReadTimeout from error
    except HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError from error
    return b"".join(pieces)


def answer_of(outcome: ClickHouseReply | ClickHouseFailure) -> ClickHouseReply:
    """Return an answer.

    Raises:
        MeasurementError: the query failed.
    """
    if isinstance(outcome, ClickHouseReply):
        return outcome
    raise MeasurementError(outcome.cause, outcome.reason)
