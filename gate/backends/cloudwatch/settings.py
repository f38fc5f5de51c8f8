"""The settings for CloudWatch, and the policy's ``backend`` block for them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Final

from gate.backends.addresses import RETRIES
from gate.backends.aws_login import AwsAccess, aws_access, aws_fields, aws_secrets, suffixes_of
from gate.dataclass import dataclass
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Object, Values
from gate.parsing.reader import Reader

_SERVICE: Final = "monitoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchSettings:
    """The metrics of one region of one AWS account."""

    kind: ClassVar[str] = "cloudwatch"

    access: AwsAccess
    retries: int = 2
    """The number of retries if the connection failed or AWS throttled the gate."""


def secrets(settings: CloudWatchSettings) -> tuple[str, ...]:
    """Return the keys, and an address from a variable."""
    return aws_secrets(settings.access)


def usual_age(_words: Mapping[str, str]) -> timedelta:
    """Return the usual age of the newest point: services publish a minute after its end, and late.

    For a new metric, "it can take up to two minutes" until statistics are available; load balancers
    and most services publish every 60 seconds, some every five minutes.
    """
    return timedelta(minutes=15)


def _host(region: str, fips: bool) -> str:
    name = f"{_SERVICE}-fips" if fips else _SERVICE
    return f"{name}.{region}.{suffixes_of(region)[0]}"


def _build_settings(values: Values, reader: Reader) -> CloudWatchSettings:
    access = aws_access(values, reader, _SERVICE, _host)
    return CloudWatchSettings(access=access, **values.only("retries"))


BLOCK: Final = Object(
    {
        **aws_fields(
            "vpce-0a1b2c3d.monitoring.eu-central-1.vpce.amazonaws.com",
            "/doc/2010-08-01|/service/GraniteServiceVersion20100801(?:/operation/[A-Za-z]+)?",
        ),
        "retries": RETRIES,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE},
)
"""The keys of ``backend`` in a policy file."""
