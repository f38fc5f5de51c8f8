"""SLOs of CloudWatch Application Signals, by the budget reports of AWS."""

import re
from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.aws_slo.settings import BLOCK, PUBLIC, AwsSloSettings, secrets
from gate.measure import Backend, Limits
from gate.slo.indicator import Sli, Slices

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor

_NAME: Final = re.compile(r"[0-9A-Za-z][-._0-9A-Za-z ]{0,126}[0-9A-Za-z]")
"""As the service's own model has it."""
_ARN: Final = re.compile(rf"arn:[a-z-]+:application-signals:[^:]+:[0-9]+:slo/{_NAME.pattern}")


def _open(settings: AwsSloSettings, limits: Limits) -> Backend:
    from gate.backends.aws_slo.platform import AwsSloPlatform  # noqa: PLC0415 - imports requests
    from gate.backends.platforms.backend import PlatformBackend  # noqa: PLC0415 - as above

    return PlatformBackend(AwsSloPlatform(settings, limits))


def _open_doctor(settings: AwsSloSettings, limits: Limits) -> "Doctor":
    from gate.backends.aws_slo.platform import AwsSloPlatform  # noqa: PLC0415 - as above
    from gate.backends.platforms.backend import PlatformBackend  # noqa: PLC0415
    from gate.backends.platforms.doctor import PlatformDoctor  # noqa: PLC0415

    return PlatformDoctor(PlatformBackend(AwsSloPlatform(settings, limits)))


def _mistake_in(sli: Sli, slices: Slices | None) -> str | None:
    if slices is not None:
        return "timeslices do not go with an SLO that Application Signals counts; remove them"
    if sli.group is not None:
        return "Application Signals has no groups of an SLO; remove group"
    name = sli.slo or ""
    if _ARN.fullmatch(name) or _NAME.fullmatch(name):
        return None
    return f"{name!r:.80} is neither a name nor an ARN that an SLO of Application Signals can have"


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
