"""The connection to a service of Amazon Web Services: keys of the blocks, login, and address."""

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final
from urllib.parse import urlsplit

from gate.backends.addresses import HttpAddress, shown_address
from gate.backends.logins import LOGINS, SigV4Login, check_keys, login_secrets
from gate.dataclass import dataclass
from gate.parsing.objects import Field, Values
from gate.parsing.reader import Reader, written
from gate.parsing.values import BOOLEAN, CONNECTION

_REGION: Final = re.compile(r"[a-z]{2,8}(?:-[a-z]{2,16})+-[0-9]{1,2}")
"""Letters, hyphens and a number only, since the host to be signed is made of it."""
_LONG: Final = 8
"""The number of characters from which a part of a path is masked: it may be more than a common
word."""
_USUAL: Final = ("amazonaws.com", "api.aws")
_ELSEWHERE: Final[Mapping[str, tuple[str, str]]] = {
    "cn-": ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    "eusc-": ("amazonaws.eu", "api.amazonwebservices.eu"),
    "us-iso-": ("c2s.ic.gov", "api.aws.ic.gov"),
    "us-isob-": ("sc2s.sgov.gov", "api.aws.scloud"),
    "eu-isoe-": ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    "us-isof-": ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
}
"""The keys are beginnings of regions, as in botocore's partitions.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """The address of a service in one region, and the login."""

    login: SigV4Login
    url: str = field(repr=False)
    """The address without a slash at its end; messages show only ``shown``."""
    shown: str
    """The service's address in messages."""
    from_outside: bool = False
    """Whether the address, or a part of it, came from a variable."""


def suffixes_of(region: str) -> tuple[str, str]:
    """Return the ends of a region's host names: the default one, and the dual-stack one.

    Unknown regions are treated like those of the default partition, as in botocore.
    """
    fitting = (names for start, names in _ELSEWHERE.items() if region.startswith(start))
    return next(fitting, _USUAL)


def aws_access(
    values: Values, reader: Reader, service: str, host: Callable[[str, bool], str]
) -> AwsAccess:
    """Return the values of the keys of `aws_fields` in a policy.

    Args:
        values: the values of a block with those keys.
        reader: the reader of the policy.
        service: the name of the service in signatures.
        host: returns the service's own host for a region, with or without FIPS.

    Raises:
        UnreadableError: the keys do not go together.
    """
    check_keys(values, reader)
    region: str = values.get("region")
    if not _REGION.fullmatch(region):
        message = "this is not a region of AWS; write it as in eu-central-1"
        raise reader.fail(values.node("region"), message)
    fips: bool = values.get("fips", False)
    if fips and values.given("url"):
        message = "fips chooses AWS's own address; remove it, or the url"
        raise reader.fail(values.node("fips"), message)
    own = f"https://{host(region, fips)}"
    shown = shown_address(written(values.node("url"))) if values.given("url") else ""
    url: str = values.get("url", own)
    keys = values.only("access_key", "secret_key", "session_token")
    return AwsAccess(
        login=SigV4Login(region=region, service=service, **keys),
        url=url,
        shown=shown or urlsplit(url).netloc.rpartition("@")[2],
        from_outside=bool(shown),
    )


def aws_secrets(access: AwsAccess) -> tuple[str, ...]:
    """Return the secrets of it: the keys, and an address from a variable."""
    keys = login_secrets(access.login)
    if not access.from_outside:
        return keys
    parts = urlsplit(access.url)
    opaque = (part for part in parts.path.split("/") if len(part) >= _LONG)
    return tuple(text for text in (*keys, access.url, parts.password, *opaque) if text)


def aws_fields(endpoint: str, paths: str) -> dict[str, Field]:
    """Return the keys of a block for the address of an AWS service, and for the login.

    Args:
        endpoint: an example of such a service's host behind a VPC endpoint.
        paths: a regular expression for the paths of its API, which must not be in the address.
    """
    url = f"https://{endpoint}"
    return {
        "region": Field(
            schema=CONNECTION, doc="AWS region.", required=True, example="eu-central-1"
        ),
        "access_key": _described("access_key", "${METRICS_ACCESS_KEY}"),
        "secret_key": _described("secret_key", "${METRICS_SECRET_KEY}"),
        "session_token": _described("session_token", "${METRICS_SESSION_TOKEN}"),
        "fips": Field(
            schema=BOOLEAN,
            doc="Whether to use the region's FIPS endpoint. Default: false.",
            example="true",
        ),
        "url": Field(
            schema=HttpAddress(url, "the address of the service", paths),
            doc="Address in place of AWS's own: a VPC endpoint, or a proxy.",
            example=url,
        ),
    }


def _described(key: str, example: str) -> Field:
    described: Field = LOGINS["sigv4"].fields[key]
    return Field(schema=described.schema, doc=described.doc, example=f'"{example}"')


AWS_PUBLIC: Final = frozenset({"region", "fips"})
"""The keys among them whose values are not secret."""
