"""Requests that are signed for Amazon Web Services, and the sources of the keys."""

import os
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from requests import PreparedRequest
from requests.auth import AuthBase

from gate.backends.logins import SigV4Login
from gate.dataclass import dataclass
from gate.request_failure import LoginError


@dataclass(frozen=True, slots=True)
class _Keys:
    access: str
    secret: str
    session: str | None


class AwsSigner(AuthBase):
    """Signs each request with keys that are valid at that time. Several threads may use it."""

    def __init__(self, login: SigV4Login) -> None:
        """Find the keys.

        Raises:
            LoginError: a library or the key is missing.
        """
        try:
            self._sign = import_module("requests_aws4auth").AWS4Auth
        except ImportError:
            words = "requests-aws4auth is not installed; pip install 'error-budget-gate[aws]'"
            raise LoginError(f"the library {words}") from None
        self._login = login
        self._lock = threading.Lock()
        self._keys = _provider(login)
        self.secrets: tuple[str, ...] = ()
        """Every key so far."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the signature to a request."""
        with self._lock:
            keys = self._keys()
            new = (keys.secret, keys.session, keys.access)
            self.secrets = tuple(dict.fromkeys([*self.secrets, *(key for key in new if key)]))
        session = {"session_token": keys.session} if keys.session else {}
        place = (self._login.region, self._login.service)
        # One object for each request: it stores its keys and its date.
        signed: PreparedRequest = self._sign(keys.access, keys.secret, *place, **session)(request)
        return signed


def _provider(login: SigV4Login) -> Callable[[], _Keys]:
    """Return the source of the keys: the policy, the environment, or botocore's own chain."""
    environment = os.environ.get
    access, secret, session = login.access_key, login.secret_key, login.session_token
    if access is None:
        access, secret = environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY")
        session = environment("AWS_SESSION_TOKEN")
    if access and secret:
        keys = _Keys(access, secret, session)
        return lambda: keys
    return _chain()


def _chain() -> Callable[[], _Keys]:
    """Return the keys of a profile, of a web identity, or of a container's or machine's role.

    https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
    """
    try:
        session = import_module("botocore.session").get_session()
    except ImportError:
        reason = (
            "there is no key to sign with; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as"
            " aws-actions/configure-aws-credentials or `aws configure export-credentials` does;"
            " for profiles and roles: pip install botocore"
        )
        raise LoginError(reason) from None
    credentials: Any = _attempted(session.get_credentials)
    if credentials is None:
        reason = (
            "there is no key to sign with; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as"
            " aws-actions/configure-aws-credentials or `aws configure export-credentials` does, or"
            " AWS_PROFILE, or give the machine a role"
        )
        raise LoginError(reason)

    def current() -> _Keys:
        keys = _attempted(credentials.get_frozen_credentials)
        return _Keys(keys.access_key, keys.secret_key, keys.token)

    return current


def _attempted(ask: Callable[[], Any]) -> Any:
    """Return the result of botocore; for an error, only its kind, since it may quote secrets."""
    errors = import_module("botocore.exceptions")
    try:
        return ask()
    except (errors.BotoCoreError, errors.ClientError) as error:
        kind = type(error).__name__
        code = error.response["Error"]["Code"] if isinstance(error, errors.ClientError) else ""
        said = f"{kind}: {code}" if code else kind
        reason = (
            f"AWS gives no keys ({said}); run `aws sts get-caller-identity` with the same"
            " environment, and see what it says"
        )
        raise LoginError(reason) from None
