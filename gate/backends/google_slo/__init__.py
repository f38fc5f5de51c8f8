"""SLOs of Google Cloud Monitoring, whose API counts good and bad events over any interval."""

from typing import TYPE_CHECKING, Final

from gate.backends import Starter
from gate.backends.google_slo.settings import BLOCK, NO_GROUPS, GoogleSloSettings, files, secrets
from gate.backends.platforms.registering import platform_registration, platform_slos
from gate.measure import Limits

if TYPE_CHECKING:
    from gate.backends.platforms.backend import PlatformHistoryBackend


def _backend(settings: GoogleSloSettings, limits: Limits) -> "PlatformHistoryBackend":
    from gate.backends.google_slo.platform import GoogleMonitoring  # noqa: PLC0415 - imports requests
    from gate.backends.platforms.backend import PlatformHistoryBackend  # noqa: PLC0415 - as above

    platform = GoogleMonitoring(settings, limits)
    return PlatformHistoryBackend(platform, platform)


REGISTRATION: Final = platform_registration(
    GoogleSloSettings,
    block=BLOCK,
    backend=_backend,
    secrets=secrets,
    files=files,
    public=frozenset({"project", "quota_project", "retries", "auth.google.credentials_file"}),
    starter=Starter(
        block="""\
backend:
  type: google-slo
  project: acme-prod          # the ID of the Google Cloud project that has the SLOs

""",
        slos=platform_slos(
            "Google Cloud Monitoring",
            "the SLO's display name; or its full resource name, as projects/...",
        ),
        advice="set the project and the name of the SLO, and log in with an account that has"
        " roles/monitoring.viewer",
    ),
    no_groups=NO_GROUPS,
    keeps_history=True,
)
