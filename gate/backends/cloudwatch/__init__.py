"""Metrics of Amazon CloudWatch as good and bad events: of Bedrock, load balancers, or your own.

CloudWatch adds up metrics by the minute or the hour, and the gate adds up its answers.
"""

from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.aws_login import AWS_PUBLIC
from gate.backends.cloudwatch.indicators import mistake_in
from gate.backends.cloudwatch.settings import BLOCK, CloudWatchSettings, secrets, usual_age
from gate.measure import Backend, Limits

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor


def _open(settings: CloudWatchSettings, limits: Limits) -> Backend:
    # It imports requests, which takes longer than the rest of the gate.
    from gate.backends.cloudwatch.backend import CloudWatchBackend  # noqa: PLC0415
    from gate.backends.cloudwatch.client import CloudWatch  # noqa: PLC0415

    return CloudWatchBackend(CloudWatch(settings, limits.timeout.total_seconds()))


def _open_doctor(settings: CloudWatchSettings, limits: Limits) -> "Doctor":
    from gate.backends.cloudwatch.backend import CloudWatchBackend  # noqa: PLC0415 - as above
    from gate.backends.cloudwatch.client import CloudWatch  # noqa: PLC0415
    from gate.backends.cloudwatch.doctor import CloudWatchDoctor  # noqa: PLC0415

    cloudwatch = CloudWatch(settings, limits.timeout.total_seconds())
    return CloudWatchDoctor(CloudWatchBackend(cloudwatch))


_STARTER: Final = Starter(
    block="""\
backend:
  type: cloudwatch
  region: eu-central-1        # keys come from AWS_ACCESS_KEY_ID and the variables beside it

""",
    slos="""\
slos:
  - name: availability
    objective: 99%            # 1% of requests may fail or be throttled
    window: 30d
    sli:                      # namespace, metric, and all of its dimensions
      bad: >-
        AWS/Bedrock InvocationServerErrors{ModelId="my-model"}
        + AWS/Bedrock InvocationThrottles{ModelId="my-model"}
      total: >-               # Invocations does not have the throttled requests
        AWS/Bedrock Invocations{ModelId="my-model"}
        + AWS/Bedrock InvocationThrottles{ModelId="my-model"}
  - name: latency
    objective: 95%            # a P95 objective: 95% of requests are fast enough
    window: 30d
    sli:
      column: AWS/Bedrock InvocationLatency{ModelId="my-model"}
      threshold: 8s
      unit: ms                # of the metric
""",
    advice="set the region, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and each ModelId",
)
REGISTRATION: Final = Registration(
    settings=CloudWatchSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=lambda _: (),
    public=AWS_PUBLIC | {"retries"},
    starter=_STARTER,
    indicators=frozenset({"ratio", "threshold", "spent"}),
    keeps_history=True,
    promql=False,
    reads_rows=False,
    mistake_in=mistake_in,
    max_age=usual_age,
)
