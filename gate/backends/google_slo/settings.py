"""The settings for Google Cloud Monitoring, and the policy's ``backend`` block for them."""

import re
from dataclasses import field
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from gate.backends.addresses import RETRIES, HttpAddress, is_protected, shown_address
from gate.backends.logins import LOGINS, GoogleLogin, login_files
from gate.dataclass import dataclass
from gate.parsing.files import literals
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader, written
from gate.parsing.schema import Scalar
from gate.parsing.values import SECRET

NO_GROUPS: Final = "an SLO of Google Cloud Monitoring has no groups; remove the key group"
ADDRESS: Final = "https://monitoring.googleapis.com"
_PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9.:-]*[a-z0-9]")
"""An ID, which may have a domain before it (``example.com:chat``), or a number:
https://cloud.google.com/resource-manager/docs/creating-managing-projects"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSloSettings:
    """The SLOs of one project, and of the projects in full names of SLOs."""

    kind: ClassVar[str] = "google-slo"

    project: str
    """The ID, or the number, of the project with the services."""
    url: str = field(default=ADDRESS, repr=False)
    """An address in place of the vendor's own; without a slash at its end."""
    shown: str = ""
    """The server in messages if the url, or a part of it, came from a variable. Empty: the url is
    the policy's own text, and its host may be shown."""
    bearer: str | None = field(default=None, repr=False)
    """An access token (OAuth 2.0); None: ``login`` provides one."""
    login: GoogleLogin = field(default_factory=GoogleLogin)
    quota_project: str | None = None
    """The project whose quota a person's login uses; None: the login's own project."""
    retries: int = 2
    """The number of retries for temporary failures; at least 0."""


def secrets(settings: GoogleSloSettings) -> tuple[str, ...]:
    """Return the token, and an address from a variable with the parts of its path."""
    outside = [settings.url, *urlsplit(settings.url).path.split("/")] if settings.shown else []
    return tuple(dict.fromkeys(text for text in (settings.bearer, *outside) if text))


def files(settings: GoogleSloSettings) -> tuple[str, ...]:
    """Return the file of the credentials."""
    return literals(*login_files(settings.login))


def _project(text: str) -> str:
    if not _PROJECT.fullmatch(text):
        bare = text.removeprefix("projects/")
        example = bare if _PROJECT.fullmatch(bare) else "acme-prod"
        raise ValueError(f"this is not the ID of a project; write for example {example}")
    return text


def _build_auth(values: Values, reader: Reader) -> dict[str, Any]:
    if len(values.given("bearer", "google")) != 1:
        raise reader.fail(values.node(), "auth has either bearer or google")
    if values.given("bearer"):
        return {"bearer": values.get("bearer")}
    return {"login": values.get("google")}


def _build_settings(values: Values, reader: Reader) -> GoogleSloSettings:
    auth = values.get("auth", {})
    if "bearer" not in auth and not is_protected(urlsplit(values.get("url", ADDRESS))):
        message = "a token of the machine is sent over https only; write an https address"
        raise reader.fail(values.node("url"), message)
    shown = shown_address(written(values.node("url"))) if values.given("url") else ""
    return GoogleSloSettings(
        shown=shown, **auth, **values.only("project", "url", "quota_project", "retries")
    )


_PROJECT_ID: Final = Scalar(_project, {"type": "string", "minLength": 1}, variables=True)
BLOCK: Final = Object(
    {
        "project": Field(
            schema=_PROJECT_ID,
            doc="ID of the Google Cloud project that has the services and their SLOs.",
            required=True,
            example="acme-prod",
        ),
        "auth": Field(
            schema=Object(
                {
                    "bearer": Field(schema=SECRET, doc="Access token, from a variable."),
                    "google": Field(
                        schema=LOGINS["google"],
                        doc="Token of a service account, or of the machine.",
                    ),
                },
                _build_auth,
            ),
            doc="How to log in: bearer or google. Default: the application default credentials.",
            example='{bearer: "${GOOGLE_ACCESS_TOKEN}"}',
        ),
        "url": Field(
            schema=HttpAddress(ADDRESS, "the part before /v3", "/v3(?:/.*)?|/v1(?:/.*)?"),
            doc=f"Address of the API, for a private endpoint or a proxy. Default: {ADDRESS}.",
            example="https://monitoring-acme.p.googleapis.com",
        ),
        "quota_project": Field(
            schema=_PROJECT_ID,
            doc="Project whose quota is used, which the login of a person needs.",
            example="acme-prod",
        ),
        "retries": RETRIES,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE},
)
"""The keys of ``backend`` in a policy file."""
