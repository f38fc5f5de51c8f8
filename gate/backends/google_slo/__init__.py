"""SLOs of Google Cloud Monitoring, whose good and bad events its API counts over any interval."""

from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.google_slo.settings import BLOCK, NO_GROUPS, GoogleSloSettings, files, secrets
from gate.measure import Backend, Limits
from gate.slo.indicator import Sli, Slices

if TYPE_CHECKING:
    from gate.backends.platforms.backend import PlatformHistoryBackend
    from gate.measure.diagnosis import Doctor


def _backend(settings: GoogleSloSettings, limits: Limits) -> "PlatformHistoryBackend":
    from gate.backends.google_slo.platform import GoogleMonitoring  # noqa: PLC0415 - imports requests
    from gate.backends.platforms.backend import PlatformHistoryBackend  # noqa: PLC0415 - as above

    platform = GoogleMonitoring(settings, limits)
    return PlatformHistoryBackend(platform, platform)


def _open(settings: GoogleSloSettings, limits: Limits) -> Backend:
    return _backend(settings, limits)


def _open_doctor(settings: GoogleSloSettings, limits: Limits) -> "Doctor":
    from gate.backends.platforms.doctor import PlatformDoctor  # noqa: PLC0415 - for one command only

    return PlatformDoctor(_backend(settings, limits))


def _mistake_in(sli: Sli, _slices: Slices | None) -> str | None:
    return NO_GROUPS if sli.group is not None else None


_STARTER: Final = Starter(
    block="""\
backend:
  type: google-slo
  project: acme-prod          # the ID of the Google Cloud project that has the SLOs

""",
    slos="""\
slos:
  - name: availability
    from: platform            # objective and window are those of Google Cloud Monitoring
    sli:
      slo: Chat availability  # the SLO's display name; or its full resource name, as projects/...
""",
    advice="set the project and the name of the SLO, and log in with an account that has"
    " roles/monitoring.viewer",
)
REGISTRATION: Final = Registration(
    settings=GoogleSloSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=files,
    public=frozenset({"project", "quota_project", "retries", "auth.google.credentials_file"}),
    starter=_STARTER,
    indicators=frozenset({"platform"}),
    keeps_history=True,
    promql=False,
    reads_rows=False,
    mistake_in=_mistake_in,
    max_age=lambda _: None,
)
