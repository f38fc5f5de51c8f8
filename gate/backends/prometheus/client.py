"""The HTTP client of one server: it sends a query and reads the reply."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import requests
from requests import Response
from requests.adapters import HTTPAdapter

from gate.backends.lazy_login import LazyLogin
from gate.backends.prometheus.query_grid import QueryGrid, endpoint_of
from gate.backends.prometheus.replies import Body, Reply, read_response, read_result
from gate.backends.prometheus.secrecy import address
from gate.backends.prometheus.settings import PrometheusSettings
from gate.http import Clock, Retries, Sender, persist
from gate.measure.remedies import hint_for
from gate.redaction import Redactor, redactable
from gate.request_failure import RequestFailure, RetryAdvice, Trouble

ALLOW_MORE: Final = "; allow it more time"
"""The hint for a query that the run's time limit was too short for."""
_PERHAPS_GET_ONLY: Final = frozenset({403, 405, 501})
"""The statuses with which proxies that only allow GET refuse a POST."""
_LONGEST_ADDRESS: Final = 7_500
"""The most bytes of an address: the usual limit of 8 KB is for the whole request line."""
_LONGEST_QUERY: Final = 4_000
"""The most bytes before percent-encoding, which makes PromQL longer by half or more."""
_TOO_LONG: Final = "the query is too long for GET"
_VICTORIA: Final = "X-Server-Hostname"
"""A header of every answer of VictoriaMetrics; other servers do not send it."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_CONNECT: Final = 10.0
_HEAD_START: Final = 1.0
"""The server's time limit is this many seconds shorter than ours, so that its own message
arrives."""


class Client:
    """One server, with persistent connections. Several threads may query at once."""

    def __init__(self, settings: PrometheusSettings, clock: Clock | None = None) -> None:
        """Prepare the session; this sends nothing and reads no file."""
        self.clock = clock or Clock()
        self._settings = settings
        self._address = address(settings)
        self._get = settings.method == "GET"
        self._hosts = "${" not in settings.shown
        self._retries = Retries(count=settings.retries, first_pause=_FIRST_PAUSE)
        self._sender = Sender(
            session=_session(settings),
            headers=self._address.headers,
            longest_connect=_LONGEST_CONNECT,
            verify=True if settings.ca is None else str(settings.ca),
            auth=LazyLogin(settings.login, self.clock) if settings.login else None,
        )

    @property
    def most_bytes(self) -> int | None:
        """The most bytes of a query; None: the client sets no limit."""
        return _LONGEST_QUERY if self._get else None

    def query(
        self, text: str, when: datetime | QueryGrid, *, until: float, allowed: float
    ) -> Reply | RequestFailure:
        """Send one query; failures are returned and never raised.

        Args:
            text: PromQL.
            when: the instant or the instants at which the query is evaluated.
            until: the deadline of the answer, on the clock's monotonic scale.
            allowed: the most seconds for one try, above 0.
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
        """Send one request to another part of the API; failures are returned and never raised.

        Args:
            name: the part after ``/api/v1/``, such as ``status/buildinfo``.
            parameters: the parameters of the address.
            until: the deadline, as for `query`.
        """
        url = self._address.endpoint(name)

        def attempt(seconds: float) -> Body | RequestFailure:
            response = self._send("GET", url, seconds, parameters)
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
            # VictoriaMetrics moves an instant of the last 30 s back by default:
            # https://docs.victoriametrics.com/#prometheus-querying-api-enhancements
            "nocache": "1",
        }
        url = self._address.endpoint(name)
        if self._get:
            return self._got(url, seconds, form)
        response = self._send("POST", url, seconds, form)
        outcome = self._read(response)
        if self._settings.method is None and response.status_code in _PERHAPS_GET_ONLY:
            return self._by_get(url, seconds, form) or outcome
        return outcome

    def _by_get(
        self, url: str, seconds: float, form: Mapping[str, str]
    ) -> Reply | RequestFailure | None:
        """Repeat a refused request by GET; None: GET is refused, too."""
        try:
            answer = tried = self._got(url, seconds, form)
            if isinstance(answer, RequestFailure) and answer.reason == _TOO_LONG:
                tried = self._got(url, seconds, {**form, "query": "vector(1)"})
        except requests.RequestException:
            return None
        self._get = isinstance(tried, Reply)
        return answer if self._get else None

    def _got(self, url: str, seconds: float, form: Mapping[str, str]) -> Reply | RequestFailure:
        """Send a query by GET; many servers and proxies limit its whole address to 8 KB."""
        if len(urlencode(form)) > _LONGEST_ADDRESS:
            return RequestFailure(reason=_TOO_LONG, advice=RetryAdvice.SMALLER)
        return self._read(self._send("GET", url, seconds, form))

    def _read(self, response: Response) -> Reply | RequestFailure:
        body = read_response(response, self.clock.now(), hosts=self._hosts)
        if isinstance(body, RequestFailure):
            return body
        return read_result(body, victoria=_VICTORIA in response.headers)

    def _send(self, method: str, url: str, seconds: float, form: Mapping[str, str]) -> Response:
        """Send a request with the settings' parameters; repeat it once if its token is refused."""
        own, posted = dict(self._settings.parameters), method == "POST"
        params = own if posted else {**own, **form}

        def send() -> Response:
            body = form if posted else None
            return self._sender.send(method, url, seconds=seconds, params=params, form=body)

        response, login = send(), self._sender.auth
        if response.status_code == HTTPStatus.UNAUTHORIZED and isinstance(login, LazyLogin):
            login.forget(response)
            response = send()
        return response

    def _redacted(self, text: str) -> str:
        login = self._sender.auth
        tokens = login.secrets if isinstance(login, LazyLogin) else ()
        return Redactor(redactable([*self._address.secrets, *tokens]))(text)

    def _shown(self, failure: RequestFailure) -> RequestFailure:
        """Name the server, and make its message safe to show."""
        reason = f"{self._address.shown}: {self._redacted(failure.reason)}"
        if failure.timed_out and failure.advice is not RetryAdvice.GIVE_UP:
            reason += ALLOW_MORE
        elif failure.trouble is not Trouble.HTTPS_NEEDED or self._address.url.scheme == "http":
            reason += hint_for(failure.trouble)
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
