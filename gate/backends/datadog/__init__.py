"""SLOs of Datadog: counted by its history of each, in events or in seconds."""

from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.datadog.settings import BLOCK, DatadogSettings, secrets
from gate.measure import Backend, Limits

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor


def _open(settings: DatadogSettings, limits: Limits) -> Backend:
    # Imports requests, which takes longer than all the rest of the gate.
    from gate.backends.datadog.platform import DatadogPlatform  # noqa: PLC0415
    from gate.backends.platforms.backend import PlatformHistoryBackend  # noqa: PLC0415

    platform = DatadogPlatform(settings, limits)
    return PlatformHistoryBackend(platform, platform)


def _open_doctor(settings: DatadogSettings, limits: Limits) -> "Doctor":
    from gate.backends.datadog.platform import DatadogPlatform  # noqa: PLC0415 - as above
    from gate.backends.platforms.backend import PlatformBackend  # noqa: PLC0415
    from gate.backends.platforms.doctor import PlatformDoctor  # noqa: PLC0415

    return PlatformDoctor(PlatformBackend(DatadogPlatform(settings, limits)))


_STARTER: Final = Starter(
    block="""\
backend:
  type: datadog
  site: datadoghq.com         # where you log in: datadoghq.eu, us3.datadoghq.com, ...
  api_key: "$${DD_API_KEY}"
  application_key: "$${DD_APP_KEY}"   # needs the scope slos_read, and nothing else

""",
    slos="""\
slos:
  - name: availability
    from: platform            # objective and window are those of Datadog
    sli:
      slo: Chat availability  # the exact name, or the id, of the SLO in Datadog
""",
    advice="set DD_API_KEY and DD_APP_KEY, the site, and the names of your SLOs",
)
REGISTRATION: Final = Registration(
    settings=DatadogSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=lambda _: (),
    public=frozenset({"site", "corrections", "endpoint", "parallel", "retries"}),
    starter=_STARTER,
    indicators=frozenset({"platform"}),
    keeps_history=True,
    promql=False,
    reads_rows=False,
    mistake_in=lambda _sli, _slices: None,  # which SLOs there are, Datadog says
    max_age=lambda _: None,
)
