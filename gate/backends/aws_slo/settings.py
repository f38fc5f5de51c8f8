"""The settings for CloudWatch Application Signals, and the policy's block for them."""

from typing import ClassVar, Final

from gate.backends.addresses import RETRIES
from gate.backends.aws_login import (
    AWS_PUBLIC,
    AwsAccess,
    aws_access,
    aws_fields,
    aws_secrets,
    suffixes_of,
)
from gate.dataclass import dataclass
from gate.parsing.objects import TIMEOUT_ELSEWHERE, Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.values import BOOLEAN

SERVICE: Final = "application-signals"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSloSettings:
    """Application Signals of one account in one region."""

    kind: ClassVar[str] = "aws-slo"

    access: AwsAccess
    linked_accounts: bool = False
    """Whether names are also looked up in the source accounts of this monitoring account."""
    retries: int = 2
    """The number of retries if the service was busy."""


def host_of(region: str, fips: bool) -> str:
    """Return the service's host by botocore's endpoint rules."""
    return f"{SERVICE}{'-fips' if fips else ''}.{region}.{suffixes_of(region)[1]}"


def secrets(settings: AwsSloSettings) -> tuple[str, ...]:
    """Return the keys, and an address from a variable."""
    return aws_secrets(settings.access)


def _build_settings(values: Values, reader: Reader) -> AwsSloSettings:
    return AwsSloSettings(
        access=aws_access(values, reader, SERVICE, host_of),
        **values.only("linked_accounts", "retries"),
    )


BLOCK: Final = Object(
    {
        **aws_fields(
            "vpce-0123.application-signals.eu-central-1.vpce.amazonaws.com",
            "/(?:slos?|budget-report)",
        ),
        "linked_accounts": Field(
            schema=BOOLEAN,
            doc="Whether to look names up in the source accounts of a monitoring account, too."
            " Default: false.",
            example="true",
        ),
        "retries": RETRIES,
    },
    _build_settings,
    elsewhere={"timeout": TIMEOUT_ELSEWHERE},
)
"""The keys of ``backend`` in a policy file."""
PUBLIC: Final = AWS_PUBLIC | {"linked_accounts", "retries"}
