"""The keys of a server that speaks HTTP, in a policy: its address, its TLS and its retries."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import yaml

from gate.parsing.numbers import CONNECTION_COUNT
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader, written
from gate.parsing.schema import Scalar
from gate.parsing.values import CONNECTION
from gate.parsing.variables import OUTSIDE

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}")
_UNFILLED: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_NO_SCHEME: Final = re.compile(r"(?=.*[a-z])[\w.-]+(:[0-9]{1,5})?/*", re.ASCII | re.IGNORECASE)
_PASSWORD: Final = re.compile(r"//[^/]*:([^/]*)@")


def shown_address(text: str) -> str:
    """Return an address for messages; empty if it has no variable."""
    names = _VARIABLE.sub(r"${\1}", text.strip())
    if not _VARIABLE.search(names):
        return ""
    scheme, separator, rest = names.rpartition("://")
    return f"{scheme}{separator}{rest.partition('/')[0].rpartition('@')[2]}"


def is_protected(url: SplitResult) -> bool:
    """Return whether nobody on the way can read data that is sent to an address."""
    return url.scheme == "https" or url.hostname in {"localhost", "127.0.0.1", "::1"}


class HttpAddress(Scalar[str]):
    """An address; a password in it must come from a variable."""

    def __init__(self, example: str, meaning: str, behind: str) -> None:
        """Prepare the schema for the address of one kind of server.

        Args:
            example: an example of such an address.
            meaning: the meaning of the address, as the words after "url is".
            behind: a regular expression for paths of the API, and of pages for people, that follow
                the address of such a server.
        """
        ending = re.compile(rf"({behind})/*$")
        json = {
            "type": "string",
            "pattern": r"^\s*[hH][tT][tT][pP][sS]?://|\$\{",
            "not": {"pattern": rf"^[^/]*//[^/]+(?:/.*)?{ending.pattern}"},
        }

        def parse(text: str) -> str:
            return _url(text, example, meaning, ending)

        super().__init__(parse, json, variables=True, silent=True)

    def read(self, node: yaml.Node, reader: Reader) -> str:
        """Read the address; see `Scalar.read`."""
        password = _PASSWORD.search(written(node))
        if password and not OUTSIDE.fullmatch(password[1]):
            message = "a password must not be in the file; write ${NAME} in its place"
            raise reader.fail(node, message)
        if _NO_SCHEME.fullmatch(written(node)):
            message = f"the url has no http:// or https://; write http://{written(node)}"
            raise reader.fail(node, message)
        return super().read(node, reader)


def _url(text: str, example: str, meaning: str, ending: re.Pattern[str]) -> str:
    # Neither the text nor Python's own message is repeated: they may have a password.
    wrong = ValueError(_wrong_form(text, example))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    usable = parts.scheme in {"http", "https"} and parts.hostname and port != 0
    if not usable or _UNFILLED.search(parts.netloc):
        raise wrong
    if parts.query or parts.fragment:
        raise ValueError(f"url is {meaning}; remove ? or # and everything behind it")
    if page := ending.search(parts.path):
        raise ValueError(f"url is {meaning}; remove {page[1]} from its end")
    return text.rstrip("/")


def _wrong_form(text: str, example: str) -> str:
    """Say why a text is not a valid address, without any part of it: it may have a password."""
    if name := _UNFILLED.match(text.removeprefix("http://").removeprefix("https://")):
        return f"${name[1]} is not filled in; write ${{{name[1]}}}"
    if re.match(r"[\w.-]+(:[0-9]+)?(/|$)", text):
        return f"the url has no http:// or https://; write {example}"
    return f"not a valid http or https address; write {example}"


def _build_tls(values: Values, reader: Reader) -> dict[str, Path]:
    if values.given("key") and not values.given("cert"):
        raise reader.fail(values.node("key"), "'key' needs 'cert'; add the client's certificate")
    return {
        name: reader.existing(values.node(name), values.get(name))
        for name in values.given("ca", "cert", "key")
    }


_TLS: Final = Object(
    {
        "ca": Field(
            schema=CONNECTION,
            doc="PEM file of the certificate authorities to trust.",
            example="ca.pem",
        ),
        "cert": Field(
            schema=CONNECTION, doc="PEM file of the client's certificate.", example="client.pem"
        ),
        "key": Field(
            schema=CONNECTION,
            doc="PEM file of the client's key, if it is not in the same file.",
            example="client.key",
        ),
    },
    _build_tls,
)
TLS: Final = Field(
    schema=_TLS,
    doc="Certificate authorities of your own, and a client certificate.",
    example="{ca: ca.pem}",
)
"""The key ``tls``: those of the files ``ca``, ``cert`` and ``key`` that are given."""
RETRIES: Final = Field(
    schema=CONNECTION_COUNT,
    doc="Number of retries of a failed request. Default: 2.",
    example="2",
)
"""The key ``retries``, a whole number from 0 on."""
