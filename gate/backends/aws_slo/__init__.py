"""SLOs of CloudWatch Application Signals, counted by the budget reports of AWS."""

from typing import TYPE_CHECKING, Final

from gate.backends import Starter
from gate.backends.aws_slo.settings import BLOCK, PUBLIC, AwsSloSettings, secrets
from gate.backends.platforms.registering import platform_registration, platform_slos
from gate.measure import Limits

if TYPE_CHECKING:
    from gate.backends.platforms.backend import PlatformBackend


def _backend(settings: AwsSloSettings, limits: Limits) -> "PlatformBackend":
    from gate.backends.aws_slo.platform import AwsSloPlatform  # noqa: PLC0415 - imports requests
    from gate.backends.platforms.backend import PlatformBackend  # noqa: PLC0415 - as above

    return PlatformBackend(AwsSloPlatform(settings, limits))


REGISTRATION: Final = platform_registration(
    AwsSloSettings,
    block=BLOCK,
    backend=_backend,
    secrets=secrets,
    files=lambda _: (),  # profiles are files of the user, never of a change
    public=PUBLIC,
    starter=Starter(
        block="""\
backend:
  type: aws-slo               # CloudWatch Application Signals
  region: eu-central-1        # where the SLOs are; the login comes from AWS_ACCESS_KEY_ID and so on

""",
        slos=platform_slos("Application Signals", "the exact name, or the ARN"),
        advice="set the region and the names of your SLOs, and let the login read them"
        " (docs/platforms.md)",
        burn_rates=False,
    ),
    no_groups="Application Signals has no groups of an SLO; remove group",
    keeps_history=False,
)
