"""The only HTTP of this backend: one question sent, its answer or the reason why there is none."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import requests
from requests.adapters import HTTPAdapter

from gate.backends.prometheus.address import FixedHeaders, address
from gate.backends.prometheus.network import explain
from gate.backends.prometheus.outcome import NO_TIME, Failure, Reply
from gate.backends.prometheus.query import QueryGrid
from gate.backends.prometheus.response import Body, read_response, read_result
from gate.backends.prometheus.settings import PrometheusSettings

Form = Mapping[str, str]

_FIRST_PAUSE: Final = 0.25
_LONGEST_CONNECT: Final = 10.0
_HEAD_START: Final = 1.0
"""The server is to give up this many seconds before we do, so that its own words arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time as the client sees it; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """For a Retry-After that is a date."""
    jitter: Callable[[], float] = random.random
    """Between 0 and 1."""


class Client:
    """One server, with its connections kept alive. Several threads may query at once."""

    def __init__(self, settings: PrometheusSettings, clock: Clock | None = None) -> None:
        """Prepare; nothing is sent and no file is read."""
        self.clock = clock or Clock()
        self._address = address(settings)
        self._retries = settings.retries
        # Given with every request: as an attribute of the session, REQUESTS_CA_BUNDLE in the
        # environment would go before it (https://github.com/psf/requests/issues/3829).
        self._verify = True if settings.ca is None else str(settings.ca)
        self._session = requests.Session()
        self._session.auth = FixedHeaders()
        self._session.headers.update(self._address.headers)
        if settings.cert is not None:
            key = settings.key or settings.cert
            self._session.cert = (str(settings.cert), str(key))
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=settings.parallel)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def query(
        self, text: str, when: datetime | QueryGrid, *, until: float, allowed: float
    ) -> Reply | Failure:
        """Ask one query; never raises.

        Args:
            text: PromQL.
            when: the instant that it is evaluated at, or several.
            until: when an answer is of no more use, on the clock's monotonic scale.
            allowed: most seconds for one try, above 0.
        """
        tried = 0
        while (left := until - self.clock.monotonic()) > 0:
            outcome = self._safe(self._try(text, when, min(allowed, left)))
            if isinstance(outcome, Reply) or not outcome.transient or tried == self._retries:
                return outcome
            pause = self._pause(outcome, tried)
            if pause >= until - self.clock.monotonic():
                words = f"; to wait {pause:.1f} s for another try, there is no time left"
                return replace(outcome, reason=outcome.reason + words)
            self.clock.sleep(pause)
            tried += 1
        return Failure(reason=f"{self._address.shown}: {NO_TIME}")

    def ask(self, name: str, parameters: Form, *, until: float) -> Body | Failure:
        """Ask another part of the API, once; never raises.

        Args:
            name: the part after ``/api/v1/``, such as ``status/buildinfo``.
            parameters: of the address.
            until: as for `query`.
        """
        seconds = until - self.clock.monotonic()
        if seconds <= 0:
            return self._safe_failure(Failure(reason=NO_TIME))
        outcome = self._send("GET", name, seconds, params=parameters)
        return self._safe_failure(outcome) if isinstance(outcome, Failure) else outcome

    def _try(self, text: str, when: datetime | QueryGrid, seconds: float) -> Reply | Failure:
        name, times = _times(when)
        form = {
            "query": text,
            **times,
            "timeout": f"{max(seconds - _HEAD_START, seconds / 2) * 1000:.0f}ms",
            # VictoriaMetrics moves an instant of the last 30 s back, unless told not to:
            # https://docs.victoriametrics.com/#prometheus-querying-api-enhancements
            "nocache": "1",
        }
        outcome = self._send("POST", name, seconds, data=form)
        return outcome if isinstance(outcome, Failure) else read_result(outcome)

    def _send(
        self,
        method: str,
        name: str,
        seconds: float,
        *,
        data: Form | None = None,
        params: Form | None = None,
    ) -> Body | Failure:
        try:
            response = self._session.request(
                method,
                self._address.endpoint(name),
                data=data,
                params=params,
                timeout=(min(seconds, _LONGEST_CONNECT), seconds),
                allow_redirects=False,
                verify=self._verify,
            )
            return read_response(response, self.clock.now())
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not measured"
            return explain(error)

    def _pause(self, failure: Failure, tried: int) -> float:
        if failure.wait is not None:
            return failure.wait
        return _FIRST_PAUSE * (1 << tried) * (1 + self.clock.jitter())

    def _safe(self, outcome: Reply | Failure) -> Reply | Failure:
        """Make what the server says fit to be shown."""
        if isinstance(outcome, Failure):
            return self._safe_failure(outcome)
        safe = self._address.safe
        warnings, notes = map(safe, outcome.warnings), map(safe, outcome.notes)
        return replace(outcome, warnings=tuple(warnings), notes=tuple(notes))

    def _safe_failure(self, failure: Failure) -> Failure:
        reason = self._address.safe(failure.reason)
        return replace(failure, reason=f"{self._address.shown}: {reason}")


def _times(when: datetime | QueryGrid) -> tuple[str, dict[str, str]]:
    """Return the part of the API to ask, and the times of its question."""
    if isinstance(when, datetime):
        return "query", {"time": f"{when.timestamp():.3f}"}
    return "query_range", {
        "start": f"{when.first.timestamp():.3f}",
        "end": f"{when.last.timestamp():.3f}",
        "step": f"{when.step.total_seconds():.3f}",
    }
