"""SLOs of Datadog, counted from its history of each, in events or in seconds."""

from typing import TYPE_CHECKING, Final

from gate.backends import Starter
from gate.backends.datadog.settings import BLOCK, DatadogSettings, secrets
from gate.backends.platforms.registering import platform_registration, platform_slos
from gate.measure import Limits

if TYPE_CHECKING:
    from gate.backends.platforms.backend import PlatformHistoryBackend


def _backend(settings: DatadogSettings, limits: Limits) -> "PlatformHistoryBackend":
    # It imports requests, which takes longer than the rest of the gate.
    from gate.backends.datadog.platform import DatadogPlatform  # noqa: PLC0415
    from gate.backends.platforms.backend import PlatformHistoryBackend  # noqa: PLC0415

    platform = DatadogPlatform(settings, limits)
    return PlatformHistoryBackend(platform, platform)


REGISTRATION: Final = platform_registration(
    DatadogSettings,
    block=BLOCK,
    backend=_backend,
    secrets=secrets,
    files=lambda _: (),
    public=frozenset({"site", "corrections", "endpoint", "parallel", "retries"}),
    starter=Starter(
        block="""\
backend:
  type: datadog
  site: datadoghq.com         # where you log in: datadoghq.eu, us3.datadoghq.com, ...
  api_key: "$${DD_API_KEY}"
  application_key: "$${DD_APP_KEY}"   # needs the scope slos_read, and nothing else

""",
        slos=platform_slos("Datadog", "the exact name, or the id, of the SLO in Datadog"),
        advice="set DD_API_KEY and DD_APP_KEY, the site, and the names of your SLOs",
    ),
    keeps_history=True,
)
