"""A login that is prepared with the first request, since its imports take long."""

import threading

from requests import PreparedRequest, Response
from requests.auth import AuthBase

from gate.backends.logins import Login
from gate.http import Clock


class LazyLogin(AuthBase):
    """A login of `tokens`, which is imported and prepared with the first request."""

    def __init__(self, login: Login, clock: Clock) -> None:
        """Prepare; nothing is imported yet."""
        self._login, self._clock = login, clock
        self._lock = threading.Lock()
        self._auth: AuthBase | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the login to a request."""
        from gate.backends.tokens import login_for  # noqa: PLC0415 - as it says

        with self._lock:
            auth = self._auth = self._auth or login_for(self._login, self._clock)
        signed: PreparedRequest = auth(request)
        return signed

    def forget(self, response: Response) -> None:
        """Get a new token, since that of a request was refused."""
        forget = getattr(self._auth, "forget", None)
        if forget is not None:
            forget(response.request.headers.get("Authorization"))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every token so far."""
        return getattr(self._auth, "secrets", ())
