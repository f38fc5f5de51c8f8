"""SLOs of CloudWatch Application Signals, by the budget reports of AWS."""

from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.aws_slo.settings import BLOCK, PUBLIC, AwsSloSettings, secrets
from gate.measure import Backend, Limits
from gate.slo.indicator import Sli, Slices

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor


def _open(settings: AwsSloSettings, limits: Limits) -> Backend:
    from gate.backends.aws_slo.platform import AwsSloPlatform  # noqa: PLC0415 - imports requests
    from gate.backends.platforms.backend import PlatformBackend  # noqa: PLC0415 - as above

    return PlatformBackend(AwsSloPlatform(settings, limits))


def _open_doctor(settings: AwsSloSettings, limits: Limits) -> "Doctor":
    from gate.backends.aws_slo.platform import AwsSloPlatform  # noqa: PLC0415 - as above
    from gate.backends.platforms.backend import PlatformBackend  # noqa: PLC0415
    from gate.backends.platforms.doctor import PlatformDoctor  # noqa: PLC0415

    return PlatformDoctor(PlatformBackend(AwsSloPlatform(settings, limits)))


def _mistake_in(sli: Sli, _slices: Slices | None) -> str | None:
    return sli.group and "Application Signals has no groups of an SLO; remove group"


_STARTER: Final = Starter(
    block="""\
backend:
  type: aws-slo               # CloudWatch Application Signals
  region: eu-central-1        # where the SLOs are; the login comes from AWS_ACCESS_KEY_ID and so on

""",
    slos="""\
slos:
  - name: availability
    from: platform            # objective and window are those of Application Signals
    sli:
      slo: Chat availability  # the exact name, or the ARN
""",
    advice="set the region and the names of your SLOs, and let the login read them"
    " (docs/platforms.md)",
    burn_rates=False,
)
REGISTRATION: Final = Registration(
    settings=AwsSloSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=lambda _: (),  # profiles are files of the user, and never of a change
    public=PUBLIC,
    starter=_STARTER,
    indicators=frozenset({"platform"}),
    keeps_history=False,
    promql=False,
    reads_rows=False,
    mistake_in=_mistake_in,
    max_age=lambda _: None,
)
