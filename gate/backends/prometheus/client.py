"""One server: a question sent, its answer or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import requests
from requests.adapters import HTTPAdapter

from gate.backends.prometheus.address import address
from gate.backends.prometheus.query import QueryGrid
from gate.backends.prometheus.response import Body, Reply, read_response, read_result
from gate.http import Clock, Retries, Sender, persist
from gate.request_failure import Redactor, RequestFailure, RetryAdvice
from gate.settings import PrometheusSettings

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
            return read_response(response, self.clock.now())

        once = replace(self._retries, count=0)
        outcome = persist(attempt, until=until, retries=once, clock=self.clock)
        return self._shown(outcome) if isinstance(outcome, RequestFailure) else outcome

    def _try(self, text: str, when: datetime | QueryGrid, seconds: float) -> Reply | RequestFailure:
        name, times = _times(when)
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
        body = read_response(response, self.clock.now())
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


def _times(when: datetime | QueryGrid) -> tuple[str, dict[str, str]]:
    """Return the part of the API to ask, and the times of its question."""
    if isinstance(when, datetime):
        return "query", {"time": f"{when.timestamp():.3f}"}
    return "query_range", {
        "start": f"{when.first.timestamp():.3f}",
        "end": f"{when.last.timestamp():.3f}",
        "step": f"{when.step.total_seconds():.3f}",
    }
