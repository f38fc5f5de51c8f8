"""The settings for Kibana, and the policy's ``backend`` block for them."""

import base64
import binascii
import re
from dataclasses import field
from typing import ClassVar, Final
from urllib.parse import urlsplit

from gate.backends.addresses import RETRIES, HttpAddress, shown_address
from gate.dataclass import dataclass
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader, written
from gate.parsing.schema import Scalar
from gate.parsing.values import SECRET

_BEHIND: Final = "/(?:s/[^/]+(?:/.*)?|app(?:/.*)?|api(?:/.*)?|login)"
"""Paths of pages and spaces that follow the address of a Kibana."""
_SPACE: Final = re.compile(r"[a-z0-9_-]+")
"""https://www.elastic.co/docs/api/doc/kibana/operation/operation-post-spaces-space"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticSettings:
    """One space of a Kibana."""

    kind: ClassVar[str] = "elastic"

    url: str = field(repr=False)
    """The address of Kibana; messages show only `shown`."""
    api_key: str = field(repr=False)
    """The key as Kibana shows it once: the base64 of an id and a key."""
    shown: str = ""
    """Kibana in messages if the url came from a variable; empty: the url itself."""
    space: str | None = None
    """None: the default space."""
    retries: int = 2
    """The number of retries if the connection failed or Kibana was busy."""


def secrets(settings: ElasticSettings) -> tuple[str, ...]:
    """Return the key as it is sent, and its parts; and all parts of an address from a variable."""
    try:
        inner = base64.b64decode(settings.api_key, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        inner = ""
    url = urlsplit(settings.url)
    outside = (settings.url, *url.path.split("/")) if settings.shown else ()
    texts = (settings.api_key, inner, inner.partition(":")[2], url.password, *outside)
    return tuple(dict.fromkeys(text for text in texts if text))


def _space(text: str) -> str:
    if not _SPACE.fullmatch(text):
        raise ValueError(
            f"{text!r} is not the identifier of a space; it is in the address behind /s/, in lower"
            " case: payments"
        )
    return text


def _build_settings(values: Values, _reader: Reader) -> ElasticSettings:
    return ElasticSettings(
        url=values.get("url"),
        api_key=values.get("api_key"),
        shown=shown_address(written(values.node("url"))),
        **values.only("space", "retries"),
    )


BLOCK: Final = Object(
    {
        "url": Field(
            schema=HttpAddress(
                "https://kibana.example.com", "the address of Kibana, without a space", _BEHIND
            ),
            doc="Address of Kibana.",
            required=True,
            example="https://kibana.example.com",
        ),
        "api_key": Field(
            schema=SECRET,
            doc="API key with the privilege to read SLOs, from a variable.",
            required=True,
            example='"${KIBANA_API_KEY}"',
        ),
        "space": Field(
            schema=Scalar(
                _space, {"type": "string", "pattern": rf"^{_SPACE.pattern}$|\$\{{"}, variables=True
            ),
            doc="Identifier of the space that has the SLOs. Default: the default space.",
            example="payments",
        ),
        "retries": RETRIES,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE},
)
"""The keys of ``backend`` in a policy file."""
