"""How Google's APIs word a refusal: a google.rpc.Status with its details, as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gate.backends.platforms.api import Dialogue, JsonObject

_REASON: Final = "type.googleapis.com/google.rpc.ErrorInfo"
"""https://cloud.google.com/apis/design/errors#error_info"""
_SHOWN: Final = ("permission", "service", "quota_limit", "consumer")
"""What is shown of the metadata of an ErrorInfo; the rest repeats it."""


def words_of(body: JsonObject) -> str:
    """Return what a refusal says: its status, its message, and the reason among its details."""
    error = body.get("error")
    if not isinstance(error, dict):
        return error if isinstance(error, str) else ""
    parts = (error.get("status"), error.get("message"), *_reasons(error.get("details")))
    return ": ".join(part for part in parts if isinstance(part, str) and part)


def _reasons(details: Any) -> Iterator[str]:
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("@type") == _REASON:
            metadata = detail.get("metadata")
            said: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
            more = ", ".join(f"{key} {said[key]}" for key in _SHOWN if said.get(key))
            yield f"{detail.get('reason')} ({more})" if more else str(detail.get("reason"))


DIALOGUE: Final = Dialogue(
    words=words_of,
    hints={
        400: "run gate doctor gate.yaml, and check the full name of the SLO",
        401: "renew the access token, or log in with google-github-actions/auth; its scope must be"
        " monitoring.read",
        403: "grant the account roles/monitoring.viewer on the project, and see that the Cloud"
        " Monitoring API is enabled there; the login of a person also needs quota_project",
        404: "check backend.project and the full name of the SLO",
        429: "wait a minute, or raise the project's quota of the Cloud Monitoring API",
    },
)
"""What to do about each status; each remedy names what the message does not."""
