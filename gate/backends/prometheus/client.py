"""One server: a question sent, and its answer or the reason why there is none."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import requests
from requests import Response
from requests.adapters import HTTPAdapter

from gate.backends.prometheus.address import address
from gate.backends.prometheus.query import QueryGrid, endpoint_of
from gate.backends.prometheus.settings import PrometheusSettings
from gate.http import (
    Clock,
    Retries,
    Sender,
    is_html,
    json_object,
    persist,
    redirect_target,
    retry_after,
)
from gate.redaction import Redactor
from gate.request_failure import RequestFailure, RetryAdvice

_REDIRECTS: Final = range(300, 400)
_TRANSIENT: Final = frozenset({429, 502, 503})
_ADVICE: Final = {
    400: RetryAdvice.SEPARATE,
    401: RetryAdvice.GIVE_UP,
    403: RetryAdvice.GIVE_UP,
    404: RetryAdvice.GIVE_UP,
    413: RetryAdvice.SMALLER,
    414: RetryAdvice.SMALLER,
    422: RetryAdvice.SEPARATE,
    500: RetryAdvice.SEPARATE,
}
_TOO_SLOW: Final = re.compile(r"timed out|timeout exceeded|deadline exceeded", re.IGNORECASE)
_TOO_LARGE: Final = re.compile(
    # Prometheus' engine; VictoriaMetrics' -search.max... flags; Mimir's and Thanos' limits.
    # With spaces, since VictoriaMetrics repeats the query, and a metric may be named so.
    r"too many (?:samples|points|series|chunks)|-search\.max|not enough memory"
    r"|exceed(?:s|ed) (?:the |\w+ )?(?:limit|maximum)|hit the max",
    re.IGNORECASE,
)
_BUSY: Final = "-search.maxConcurrentRequests"
"""VictoriaMetrics: too many queries at once, of whatever size."""
_REPEATED_QUERY: Final = re.compile(r"error when executing query=.* for \(time=\d+, step=\d+\): ")
_INFO: Final = "PromQL info: "
Body = Mapping[str, Any]
"""An answer of the API that says it is a success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a query."""

    kind: str
    """Prometheus' ``resultType``."""
    result: Sequence[Any]
    warnings: tuple[str, ...] = ()
    """What the server says is missing."""
    notes: tuple[str, ...] = ()


def read_response(
    response: Response, now: datetime, *, hosts: bool = True
) -> Body | RequestFailure:
    """Read a response whose body is complete.

    ``now`` is for a Retry-After that is a date; ``hosts``: whether a host's name may be shown.
    """
    status = response.status_code
    if status in _REDIRECTS:
        target = redirect_target(response) if hosts else "another address"
        reason = f"it redirects to {target}: probably a login page ({status})"
        return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP)
    body = json_object(response)
    if status == HTTPStatus.OK:
        return _answer(response, body)
    return _refusal(response, body, now)


def read_result(body: Body) -> Reply | RequestFailure:
    """Read the answer to a query."""
    match body.get("data"):
        case {"resultType": str(kind), "result": list(result)}:
            warnings, notes = _remarks(body)
            return Reply(kind=kind, result=result, warnings=warnings, notes=notes)
        case _:
            return RequestFailure(reason="its answer holds no result")


def _answer(response: Response, body: Body | None) -> Body | RequestFailure:
    if body is None and is_html(response):
        reason = "it answers with an HTML page: probably a login page, or not the API's url"
        return RequestFailure(reason=reason, advice=RetryAdvice.GIVE_UP)
    if body is None:
        return RequestFailure(reason="its answer is not JSON, or was cut off")
    if body.get("status") != "success":
        reason = _words(response, body) or "its answer does not say success"
        return RequestFailure(reason=reason, advice=RetryAdvice.SEPARATE)
    return body


def _remarks(body: Body) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is missing from an answer, and what is merely worth knowing."""
    said, notes = _texts(body.get("warnings")), _texts(body.get("infos"))
    # Before its answers had infos, Prometheus put them among the warnings:
    # https://github.com/grafana/grafana/issues/84636
    warnings = tuple(text for text in said if not text.startswith(_INFO))
    notes += tuple(text for text in said if text.startswith(_INFO))
    if body.get("isPartial"):  # VictoriaMetrics, cluster version
        warnings += ("a part of the storage did not answer",)
    return warnings, notes


def _refusal(response: Response, body: Body | None, now: datetime) -> RequestFailure:
    status, words = response.status_code, _words(response, body)
    timed_out = status == HTTPStatus.GATEWAY_TIMEOUT or (body or {}).get("errorType") == "timeout"
    busy, slow = _BUSY in words, timed_out or _TOO_SLOW.search(words) is not None
    advice = _ADVICE.get(status, RetryAdvice.NONE)
    if busy:
        advice = RetryAdvice.NONE
    elif slow or _TOO_LARGE.search(words):
        advice = RetryAdvice.SMALLER
    name = f"{status} {response.reason or ''}".strip()
    return RequestFailure(
        reason=f"{name}: {words}" if words else name,
        status=status,
        advice=advice,
        slow=slow,
        transient=busy or (status in _TRANSIENT and advice is not RetryAdvice.SMALLER),
        wait=retry_after(response.headers, now),
    )


def _words(response: Response, body: Body | None) -> str:
    if body is not None and body.get("error"):
        kind = body.get("errorType")
        text = _REPEATED_QUERY.sub("", str(body["error"]))
        named = isinstance(kind, str) and not kind.isdecimal()
        return f"{kind}: {text}" if named else text
    if is_html(response):
        return "an HTML page"
    return response.text


def _texts(value: object) -> tuple[str, ...]:
    """Return every text of a list; whatever else is there is one text, and not passed over."""
    if isinstance(value, list):
        return tuple(map(str, value))
    return (str(value),) if value else ()


ALLOW_MORE: Final = "; allow it more time"
"""Said where the time of the run was too short."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_CONNECT: Final = 10.0
_HEAD_START: Final = 1.0
"""The server is to give up this many seconds before we do, so that its own words arrive."""


class Client:
    """One server, with its connections kept alive. Several threads may query at once."""

    def __init__(self, settings: PrometheusSettings, clock: Clock | None = None) -> None:
        """Prepare; nothing is sent and no file is read."""
        self.clock = clock or Clock()
        self._address = address(settings)
        self._redacted = Redactor(self._address.secrets)
        self._hosts = "${" not in settings.shown
        self._retries = Retries(count=settings.retries, first_pause=_FIRST_PAUSE)
        self._sender = Sender(
            session=_session(settings),
            headers=self._address.headers,
            longest_connect=_LONGEST_CONNECT,
            verify=True if settings.ca is None else str(settings.ca),
        )

    def query(
        self, text: str, when: datetime | QueryGrid, *, until: float, allowed: float
    ) -> Reply | RequestFailure:
        """Ask one query; never raises.

        Args:
            text: PromQL.
            when: the instant that it is evaluated at, or several.
            until: when an answer is of no more use, on the clock's monotonic scale.
            allowed: most seconds for one try, above 0.
        """
        outcome = persist(
            lambda seconds: self._try(text, when, min(allowed, seconds)),
            until=until,
            retries=self._retries,
            clock=self.clock,
        )
        if isinstance(outcome, RequestFailure):
            return self._shown(outcome)
        warnings, notes = map(self._redacted, outcome.warnings), map(self._redacted, outcome.notes)
        return replace(outcome, warnings=tuple(warnings), notes=tuple(notes))

    def ask(
        self, name: str, parameters: Mapping[str, str], *, until: float
    ) -> Body | RequestFailure:
        """Ask another part of the API, once; never raises.

        Args:
            name: the part after ``/api/v1/``, such as ``status/buildinfo``.
            parameters: of the address.
            until: as for `query`.
        """
        url = self._address.endpoint(name)

        def attempt(seconds: float) -> Body | RequestFailure:
            response = self._sender.send("GET", url, seconds=seconds, params=parameters)
            return read_response(response, self.clock.now(), hosts=self._hosts)

        once = replace(self._retries, count=0)
        outcome = persist(attempt, until=until, retries=once, clock=self.clock)
        return self._shown(outcome) if isinstance(outcome, RequestFailure) else outcome

    def _try(self, text: str, when: datetime | QueryGrid, seconds: float) -> Reply | RequestFailure:
        name, times = endpoint_of(when)
        form = {
            "query": text,
            **times,
            "timeout": f"{max(seconds - _HEAD_START, seconds / 2) * 1000:.0f}ms",
            # VictoriaMetrics moves an instant of the last 30 s back, unless told not to:
            # https://docs.victoriametrics.com/#prometheus-querying-api-enhancements
            "nocache": "1",
        }
        url = self._address.endpoint(name)
        response = self._sender.send("POST", url, seconds=seconds, form=form)
        body = read_response(response, self.clock.now(), hosts=self._hosts)
        return body if isinstance(body, RequestFailure) else read_result(body)

    def _shown(self, failure: RequestFailure) -> RequestFailure:
        """Say which server it was, and make its words fit to be shown."""
        reason = f"{self._address.shown}: {self._redacted(failure.reason)}"
        if failure.timed_out and failure.advice is not RetryAdvice.GIVE_UP:
            reason += ALLOW_MORE
        return replace(failure, reason=reason)


def _session(settings: PrometheusSettings) -> requests.Session:
    session = requests.Session()
    if settings.cert is not None:
        key = settings.key or settings.cert
        session.cert = (str(settings.cert), str(key))
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=settings.parallel)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
