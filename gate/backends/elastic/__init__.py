"""SLOs that Elastic Observability keeps, counted by Kibana at one instant, 100 in one request."""

from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.elastic.settings import BLOCK, ElasticSettings, secrets
from gate.measure import Backend, Limits

if TYPE_CHECKING:
    from gate.backends.platforms.backend import PlatformBackend
    from gate.measure.diagnosis import Doctor


def _backend(settings: ElasticSettings, limits: Limits) -> "PlatformBackend":
    # Imports requests, which takes longer than all the rest of the gate.
    from gate.backends.elastic.platform import ElasticPlatform  # noqa: PLC0415
    from gate.backends.platforms.backend import PlatformBackend  # noqa: PLC0415

    return PlatformBackend(ElasticPlatform(settings, limits.timeout.total_seconds()))


def _open(settings: ElasticSettings, limits: Limits) -> Backend:
    return _backend(settings, limits)


def _open_doctor(settings: ElasticSettings, limits: Limits) -> "Doctor":
    from gate.backends.platforms.doctor import PlatformDoctor  # noqa: PLC0415 - as above

    return PlatformDoctor(_backend(settings, limits))


_STARTER: Final = Starter(
    block="""\
backend:
  type: elastic
  url: "$${KIBANA_URL}"          # of Kibana, not of Elasticsearch
  api_key: "$${KIBANA_API_KEY}"  # with the privilege Read of SLOs in this space
  # space: payments             # without it the default space

""",
    slos="""\
slos:
  - name: availability
    from: platform              # objective and window are those of Kibana
    sli:
      slo: Chat availability    # its exact name in Kibana, or its id
""",
    advice="set KIBANA_URL and KIBANA_API_KEY, and the name of your SLO",
    burn_rates=False,
)
REGISTRATION: Final = Registration(
    settings=ElasticSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=lambda _: (),
    public=frozenset({"space", "retries"}),
    starter=_STARTER,
    indicators=frozenset({"platform"}),
    keeps_history=False,
    promql=False,
    reads_rows=False,
    mistake_in=lambda _sli, _slices: None,
    max_age=lambda _: None,
)
