"""One server of a platform: a request with its login, and the JSON object of the answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final, cast

import requests

from gate.backends.lazy_login import LazyLogin
from gate.backends.logins import Login
from gate.backends.platforms.messages import (
    ApiError,
    ApiRefusal,
    Call,
    Dialogue,
    JsonObject,
    rewritten,
)
from gate.backends.waits import waiting
from gate.backends.workers import Workers
from gate.http import (
    NO_TIME,
    Clock,
    Retries,
    Sender,
    http_date,
    is_html,
    json_object,
    persist,
    redirect_target,
)
from gate.measure.remedies import hint_for
from gate.redaction import Redactor, blotted, redactable, repeats
from gate.request_failure import RequestFailure, Trouble

_FIRST_PAUSE: Final = 0.5
_LONGEST_CONNECT: Final = 10.0
_GRACE: Final = 1.0
"""The seconds after the deadline in which answers may arrive: a worker checks the deadline only
between two pieces."""
_OLDEST: Final = 60
"""The maximum age in seconds of an answer from a cache, by its header ``Age``."""
_REDIRECTS: Final = range(300, 400)
_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
"""The statuses after which the vendors' own clients retry."""
_TROUBLES: Final = {
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.WRONG_PATH,
    429: Trouble.OVERLOADED,
    **dict.fromkeys((500, 502, 503, 504), Trouble.OVERLOADED),
}
_OWN_REMEDIES: Final = {
    Trouble.UNAUTHORIZED: "platform-login",
    Trouble.FORBIDDEN: "platform-rights",
    Trouble.WRONG_PATH: "platform-path",
    Trouble.WRONG_SERVER: "platform-server",
    Trouble.LOGIN_PAGE: "platform-page",
    Trouble.TOO_SLOW: "platform-slow",
    Trouble.UNTRUSTED: "platform-certificate",
    Trouble.OVERLOADED: "platform-limit",
}
"""The remedies for connections if the general entries mention Prometheus."""


class Api:
    """One server with persistent connections. Several threads may send requests at once."""

    def __init__(
        self,
        *,
        url: str,
        shown: str,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        dialogue: Dialogue,
        timeout: float,
        login: Login | None = None,
        retries: int = 2,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; no request is sent yet.

        Args:
            url: the address of the server, without a slash at its end.
            shown: the server in messages.
            headers: the headers of every request, with the login.
            secrets: texts that must never be shown.
            dialogue: the dialogue of the platform.
            timeout: the time limit in seconds of everything between two calls of `begin`.
            login: a login that needs more than a header; None: the headers have it.
            retries: the number of retries.
            clock: the clock of the run.
        """
        self._url, self._shown = url, shown
        self._dialogue = dialogue
        self._timeout = timeout
        self.clock = clock or Clock()
        self._retries = Retries(count=retries, first_pause=_FIRST_PAUSE)
        self._secrets = tuple(secrets)
        self.ahead: timedelta | None = None
        """How far the server's clock was ahead of this machine's, by its last answer; None:
        unknown."""
        self._login = None if login is None else LazyLogin(login, self.clock)
        self._sender = Sender(
            session=requests.Session(),
            headers={"Accept": "application/json", **headers},
            longest_connect=_LONGEST_CONNECT,
            auth=self._login,
        )
        self.begin()

    def begin(self) -> None:
        """Start the time limit of the next requests together."""
        self._until = self.clock.monotonic() + self._timeout

    def ask(self, call: Call) -> JsonObject:
        """Return the JSON object of a request's answer.

        Raises:
            ApiError: the answer is not an object.
        """
        (answer,) = self.ask_all([call], 1)
        if isinstance(answer, ApiError):
            raise answer
        return answer

    def ask_all(self, calls: Sequence[Call], most: int) -> list[JsonObject | ApiError]:
        """Return the answer to each request, in order.

        A request without an answer when the time is up has an error in its place. Requests still in
        progress are abandoned then, and also when a user ends the run.

        Args:
            calls: the requests.
            most: the maximum number of concurrent requests, at least 1.
        """
        workers = Workers[int, JsonObject | ApiError](lambda place: self._ask(calls[place]), most)
        answers = dict[int, JsonObject | ApiError]()
        places = iter(range(len(calls)))
        while len(answers) < len(calls):
            while not workers.full and (place := next(places, None)) is not None:
                workers.submit(place)
            done = workers.next(self._until - self.clock.monotonic() + _GRACE)
            if done is None:
                break
            answers[done[0]] = done[1]
        workers.dismiss()
        late = self._shown_failure(RequestFailure(reason=NO_TIME, trouble=Trouble.TOO_SLOW))
        return [answers.get(place, late) for place in range(len(calls))]

    def words(self, text: str) -> str:
        """Return words of the platform from a good answer, made safe to show."""
        return Redactor(self._all_secrets)(text)

    @property
    def _all_secrets(self) -> tuple[str, ...]:
        tokens = self._login.secrets if self._login is not None else ()
        return redactable([*self._secrets, *tokens])

    def _ask(self, call: Call) -> JsonObject | ApiError:
        outcome = persist(
            lambda seconds: self._try(call, seconds),
            until=self._until,
            retries=self._retries,
            clock=replace(self.clock, sleep=self._wait),
        )
        return self._shown_failure(outcome) if isinstance(outcome, RequestFailure) else outcome

    def _wait(self, seconds: float) -> None:
        """Wait before a request is sent again, and let the command report it."""
        with waiting(f"waiting {seconds:.0f} s before the next request to {self._shown}"):
            self.clock.sleep(seconds)

    def _try(self, call: Call, seconds: float) -> JsonObject | RequestFailure:
        def send() -> requests.Response:
            url = f"{self._url}{call.path}"
            return self._sender.send(
                call.method, url, seconds=seconds, params=call.params, body=call.body
            )

        response = send()
        if response.status_code == HTTPStatus.UNAUTHORIZED and self._login is not None:
            self._login.forget(response)
            response = send()
        return self._read(response)

    def _read(self, response: requests.Response) -> JsonObject | RequestFailure:
        status, body = response.status_code, json_object(response)
        date = http_date(response.headers.get("Date", ""))
        self.ahead = self.ahead if date is None else date - self.clock.now()
        if status in _REDIRECTS:
            target = redirect_target(response)
            reason = f"it redirects to {target}: probably a login page ({status})"
            return RequestFailure(reason=reason, trouble=Trouble.LOGIN_PAGE)
        if status == HTTPStatus.OK and body is not None:
            return _of_a_cache(response) or self._shown_body(response, body)
        if is_html(response):
            reason = f"it answers with an HTML page ({status}): probably a login page, or a proxy"
            return RequestFailure(reason=reason, status=status, trouble=Trouble.LOGIN_PAGE)
        if status == HTTPStatus.OK:
            reason = "its answer is not a JSON object, or was cut off"
            return RequestFailure(reason=reason, trouble=Trouble.WRONG_SERVER)
        kind = self._dialogue.kind(response.headers, body or {})
        name = f"{status} {response.reason or ''}".strip() + f" ({kind})" * bool(kind)
        words = self._dialogue.words(body or {}) or ("" if body else response.text)
        words = "" if words == response.reason else words
        return ApiRefusal(
            reason=f"{name}: {words}" if words else name,
            kind=kind,
            status=status,
            transient=status in _TRANSIENT or self._dialogue.transient(body or {}),
            trouble=_TROUBLES.get(status, Trouble.UNKNOWN),
            wait=self._dialogue.wait(response.headers, self.clock.now()),
        )

    def _shown_body(self, response: requests.Response, body: JsonObject) -> JsonObject:
        """Return a good answer without repeated secrets, since messages quote answers."""
        secrets, content = self._all_secrets, response.content
        if b"\\" in content:  # escaped text is checked in its decoded form
            content += json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        if not repeats(content, secrets):
            return body
        return cast("JsonObject", rewritten(body, lambda text: blotted(text, secrets)))

    def _shown_failure(self, failure: RequestFailure) -> ApiError:
        """Add the server's name and the remedy, and make the server's words safe to show."""
        kind = failure.kind if isinstance(failure, ApiRefusal) else ""
        own = self._dialogue.kinds.get(kind) or self._dialogue.hints.get(failure.status or 0)
        key = _OWN_REMEDIES.get(failure.trouble, failure.trouble)
        hint = f"; {own}" if own else hint_for(key)
        words = self.words(failure.reason)
        reason = f"{self._shown}: {words.rstrip('.') if hint else words}{hint}"
        return ApiError(reason, failure.status, kind)


def _of_a_cache(response: requests.Response) -> RequestFailure | None:
    """Refuse an answer that was in a cache for too long."""
    age = response.headers.get("Age", "")
    if not (age.isascii() and age.isdecimal()) or int(age[:12]) <= _OLDEST:
        return None
    reason = (
        f"a cache has answered in its place, with data that is {age:.12} s old; let the proxy that"
    )
    return RequestFailure(reason=f"{reason} caches it pass every request on")
