"""Logins that need more than a header: signed requests, and tokens from another server."""

import os
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from gate.backends.logins import AzureLogin, GoogleLogin, Login, OAuth2Login, SigV4Login
from gate.dataclass import dataclass
from gate.http import Clock, Sender, json_object
from gate.request_failure import LoginError, network_failure

_GOOGLE_SCOPE: Final = "https://www.googleapis.com/auth/monitoring.read"
_SECONDS: Final = 10.0
"""The time limit of one request for a token."""
_EARLY: Final = 60.0
"""The number of seconds before its end at which a token is renewed."""
_USUAL_LIFE: Final = 300.0
"""The lifetime in seconds if the token server does not state it."""
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523, section 2.2."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token from a token server."""

    text: str = field(repr=False)
    life: float = _USUAL_LIFE
    """Its lifetime in seconds."""


class TokenAuth(AuthBase):
    """Sends a token with each request, and gets a new one before it ends, or when it is refused."""

    def __init__(self, give: Callable[[], AccessToken], clock: Clock) -> None:
        """Prepare; ``give`` raises `LoginError`."""
        self._give = give
        self._clock = clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._ends = 0.0
        self.secrets: tuple[str, ...] = ()
        """Every token so far."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to a request."""
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._ends:
                self._token = self._give()
                self._ends = self._clock.monotonic() + max(self._token.life - _EARLY, 1.0)
                self.secrets = (*self.secrets, self._token.text)
            request.headers["Authorization"] = f"Bearer {self._token.text}"
        return request

    def forget(self, header: str | None) -> None:
        """Discard the token if it is that of a refused request."""
        with self._lock:
            if self._token is not None and header == f"Bearer {self._token.text}":
                self._token = None


def login_for(login: Login, clock: Clock) -> AuthBase:
    """Return the login for requests.

    Raises:
        LoginError: a library or a variable is missing.
    """
    match login:
        case SigV4Login():
            from gate.backends.aws_signing import AwsSigner  # noqa: PLC0415 - for AWS only

            return AwsSigner(login)
        case OAuth2Login():
            return TokenAuth(lambda: _client_credentials(login), clock)
        case GoogleLogin():
            return TokenAuth(lambda: _google(login), clock)
        case _:
            return TokenAuth(lambda: _azure(login), clock)


def _client_credentials(login: OAuth2Login) -> AccessToken:
    form = {
        "grant_type": "client_credentials",
        "client_id": login.client_id,
        "client_secret": login.client_secret,
        **({"scope": login.scope} if login.scope else {}),
        **({"audience": login.audience} if login.audience else {}),
    }
    return _ask("POST", login.token_url, "check token_url, client_id and client_secret", form=form)


def _google(login: GoogleLogin) -> AccessToken:
    try:
        auth = import_module("google.auth")
        transport = import_module("google.auth.transport.requests")
    except ImportError:
        raise _missing("google", "google-auth") from None
    try:
        with warnings.catch_warnings():
            # It warns about files of unknown origin, and about accounts of people; both are the
            # user's own.
            warnings.simplefilter("ignore")
            credentials, _ = (
                auth.default(scopes=[_GOOGLE_SCOPE])
                if login.credentials_file is None
                else auth.load_credentials_from_file(
                    str(login.credentials_file), scopes=[_GOOGLE_SCOPE]
                )
            )
        credentials.refresh(partial(transport.Request(), timeout=_SECONDS))
    except (auth.exceptions.GoogleAuthError, OSError, ValueError) as error:
        reason = (
            f"Google gives no token ({type(error).__name__}); log in with"
            " google-github-actions/auth or set credentials_file, and let the account read metrics"
            " (roles/monitoring.viewer)"
        )
        raise LoginError(reason) from None
    return AccessToken(str(credentials.token))


def _azure(login: AzureLogin) -> AccessToken:
    environment = os.environ
    secret = login.client_secret or environment.get("AZURE_CLIENT_SECRET")
    file = login.token_file or environment.get("AZURE_FEDERATED_TOKEN_FILE")
    client = login.client_id or environment.get("AZURE_CLIENT_ID")
    tenant = login.tenant_id or environment.get("AZURE_TENANT_ID")
    if login.client_secret is None and login.token_file is None and not (client and tenant):
        secret = file = None
    if secret is None and file is None:
        return _managed_identity(login, client)
    if not tenant or not client:
        raise LoginError("the tenant is not known; set tenant_id, or AZURE_TENANT_ID")
    if secret is not None and login.token_file is None:
        proof = {"client_secret": secret}
    else:
        proof = {"client_assertion_type": _ASSERTION, "client_assertion": _content(Path(str(file)))}
    host = environment.get("AZURE_AUTHORITY_HOST") or "https://login.microsoftonline.com"
    url = f"{host.rstrip('/')}/{tenant}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": client, "scope": login.scope, **proof}
    return _ask("POST", url, "check tenant_id, client_id and the secret or token_file", form=form)


def _managed_identity(login: AzureLogin, client: str | None) -> AccessToken:
    """Ask the machine for the token of its identity.

    https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
    and, with a header of its own, https://learn.microsoft.com/azure/app-service/overview-managed-identity
    """
    endpoint, header = (os.environ.get(f"IDENTITY_{name}") for name in ("ENDPOINT", "HEADER"))
    parameters = {"resource": login.scope.removesuffix("/.default")}
    parameters |= {"client_id": client} if client else {}
    advice = (
        "give the machine a managed identity that may read the workspace (Monitoring Data Reader),"
        " or set client_id and client_secret, or token_file"
    )
    if endpoint and header:
        parameters["api-version"] = "2019-08-01"
        return _ask(
            "GET", endpoint, advice, params=parameters, headers={"X-IDENTITY-HEADER": header}
        )
    host = os.environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or "http://169.254.169.254"
    parameters["api-version"] = "2018-02-01"
    url = f"{host.rstrip('/')}/metadata/identity/oauth2/token"
    return _ask("GET", url, advice, params=parameters, headers={"Metadata": "true"})


def _ask(
    method: str,
    url: str,
    advice: str,
    *,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> AccessToken:
    """Request a token from a token server; an error names the server, and what to check."""
    host = urlsplit(url).hostname or "the token server"
    sender = Sender(
        session=requests.Session(),
        headers={"Accept": "application/json", **(headers or {})},
        longest_connect=_SECONDS,
    )
    try:
        response = sender.send(method, url, seconds=_SECONDS, params=params, form=form)
    except Exception as error:  # noqa: BLE001 - any error means no token
        reason = network_failure(error).reason
        raise LoginError(f"{host} gives no token: {reason}; {advice}") from None
    body = json_object(response) or {}
    token, life = body.get("access_token"), body.get("expires_in")
    if response.status_code == HTTPStatus.OK and isinstance(token, str) and token:
        text = str(life)
        return AccessToken(token, float(text) if text.isdecimal() else _USUAL_LIFE)
    words = [str(body[key]) for key in ("error", "error_description") if body.get(key)]
    said = f" ({': '.join(words)})" if words else ""
    raise LoginError(f"{host} gives no token but {response.status_code}{said}; {advice}")


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = f"the federated token cannot be read ({type(error).__name__}); check token_file"
        raise LoginError(reason) from None


def _missing(extra: str, library: str) -> LoginError:
    words = f"the library {library} is not installed; pip install 'error-budget-gate[{extra}]'"
    return LoginError(words)
