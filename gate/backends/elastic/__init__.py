"""SLOs of Elastic Observability, counted by Kibana at one instant, 100 in one request."""

from typing import TYPE_CHECKING, Final

from gate.backends import Starter
from gate.backends.elastic.settings import BLOCK, ElasticSettings, secrets
from gate.backends.platforms.registering import platform_registration, platform_slos
from gate.measure import Limits

if TYPE_CHECKING:
    from gate.backends.platforms.backend import PlatformBackend


def _backend(settings: ElasticSettings, limits: Limits) -> "PlatformBackend":
    # It imports requests, which takes longer than the rest of the gate.
    from gate.backends.elastic.platform import ElasticPlatform  # noqa: PLC0415
    from gate.backends.platforms.backend import PlatformBackend  # noqa: PLC0415

    return PlatformBackend(ElasticPlatform(settings, limits.timeout.total_seconds()))


REGISTRATION: Final = platform_registration(
    ElasticSettings,
    block=BLOCK,
    backend=_backend,
    secrets=secrets,
    files=lambda _: (),
    public=frozenset({"space", "retries"}),
    starter=Starter(
        block="""\
backend:
  type: elastic
  url: "$${KIBANA_URL}"          # of Kibana, not of Elasticsearch
  api_key: "$${KIBANA_API_KEY}"  # with the privilege Read of SLOs in this space
  # space: payments             # without it the default space

""",
        slos=platform_slos("Kibana", "its exact name in Kibana, or its id"),
        advice="set KIBANA_URL and KIBANA_API_KEY, and the name of your SLO",
        burn_rates=False,
    ),
    keeps_history=False,
)
