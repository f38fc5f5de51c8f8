"""The settings for Datadog, and the policy's ``backend`` block for them."""

from dataclasses import field
from typing import ClassVar, Final
from urllib.parse import urlsplit

from gate.backends.addresses import RETRIES, HttpAddress, shown_address
from gate.dataclass import dataclass
from gate.errors import nearest
from gate.parsing.numbers import CONNECTION_COUNT
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader, written
from gate.parsing.schema import Choice, Scalar
from gate.parsing.values import BOOLEAN, SECRET

SITES: Final = (
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "uk1.datadoghq.com",
    "datadoghq.eu",
    "ddog-gov.com",
    "us2.ddog-gov.com",
)
"""https://docs.datadoghq.com/getting_started/site/"""
_KEYS: Final = (
    *("site", "url", "api_key", "application_key"),
    *("corrections", "endpoint", "parallel", "retries"),
)
_FIRST_LABELS: Final = ("https://", "http://", "api.", "app.")
"""The prefixes of the site in the address of a page or of the API."""
HISTORY, STATUS = "history", "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogSettings:
    """An organization at a site of Datadog."""

    kind: ClassVar[str] = "datadog"

    api_key: str = field(repr=False)
    application_key: str = field(repr=False)
    site: str = SITES[0]
    url: str | None = field(default=None, repr=False)
    """An address in place of the site's own; None: the address of the site."""
    shown: str = ""
    """The server in messages if the url, or a part of it, came from a variable; empty: the url is
    the policy's own text, or is not set."""
    corrections: bool = True
    """Whether Datadog applies its status corrections."""
    endpoint: str = HISTORY
    """``history``, which has counts; or ``status``, which has a rounded share."""
    parallel: int = 4
    """The maximum number of concurrent requests, at least 1."""
    retries: int = 2
    """The number of retries for temporary failures."""

    @property
    def address(self) -> str:
        """Return the address of the API, without a slash at its end."""
        return f"https://api.{self.site}" if self.url is None else self.url


def secrets(settings: DatadogSettings) -> tuple[str, ...]:
    """Return both keys, and an address from a variable with the parts of its path."""
    url = (settings.url or "") if settings.shown else ""
    texts = (settings.api_key, settings.application_key, url, *urlsplit(url).path.split("/"))
    return tuple(dict.fromkeys(text for text in texts if text))


def _site(text: str) -> str:
    site = text.strip().lower().rstrip("/")
    for label in _FIRST_LABELS:
        site = site.removeprefix(label)
    if site in SITES:
        return site
    raise ValueError(f"{text!r} is not a site of Datadog{nearest(site, SITES)}")


def _at_least_one(text: str) -> int:
    if not (count := CONNECTION_COUNT.parse(text)):
        raise ValueError("at least 1 is needed")
    return count


def _build_settings(values: Values, reader: Reader) -> DatadogSettings:
    if values.given("site") and values.given("url"):
        message = "'site' and 'url' do not go together; remove the site if the url is a proxy's"
        raise reader.fail(values.node("site"), message)
    shown = shown_address(written(values.node("url"))) if values.given("url") else ""
    return DatadogSettings(shown=shown, **values.only(*_KEYS))


BLOCK: Final = Object(
    {
        "site": Field(
            schema=Scalar(
                _site,
                {"type": "string", "anyOf": [{"enum": list(SITES)}, {"pattern": r"\$\{"}]},
                variables=True,
            ),
            doc=f"Datadog site of the organization. Default: {SITES[0]}.",
            example="datadoghq.eu",
        ),
        "url": Field(
            schema=HttpAddress(
                "https://datadog-proxy:8443", "the part before /api/v1", "/api(?:/v[12](?:/.*)?)?"
            ),
            doc="Address in place of the site's own, for a proxy or a private endpoint.",
            example="https://datadog-proxy:8443",
        ),
        "api_key": Field(
            schema=SECRET,
            doc="API key, from a variable.",
            required=True,
            example='"${DD_API_KEY}"',
        ),
        "application_key": Field(
            schema=SECRET,
            doc="Application key with the scope slos_read, from a variable.",
            required=True,
            example='"${DD_APP_KEY}"',
        ),
        "corrections": Field(
            schema=BOOLEAN,
            doc="Whether Datadog's status corrections are applied. Default: true.",
            example="false",
        ),
        "endpoint": Field(
            schema=Choice((HISTORY, STATUS)),
            doc="Endpoint: history, which has counts, or status, a share that Datadog rounds."
            " Default: history.",
            example="history",
        ),
        "parallel": Field(
            schema=Scalar(_at_least_one, {**CONNECTION_COUNT.json, "minimum": 1}, variables=True),
            doc="Largest number of requests at once. Default: 4.",
            example="4",
        ),
        "retries": RETRIES,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE, "app_key": "write application_key"},
)
"""The keys of ``backend`` in a policy file."""
