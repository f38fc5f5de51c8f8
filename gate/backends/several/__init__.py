"""Several backends of one policy, each for the SLOs that name it.

They are queried for the same instant and at the same time. If one of them fails, its own SLOs are
unknown; those of the others are measured anyway.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from gate.backends import SEVERAL, Opening, Settings, files_of, secrets_of
from gate.dataclass import dataclass
from gate.measure import Backend, Limits

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralSettings:
    """The ``backends`` of a policy."""

    kind: ClassVar[str] = SEVERAL

    backends: Mapping[str, Settings]
    """At least one, by the names that SLOs use."""


def _open(settings: SeveralSettings, limits: Limits) -> Backend:
    """Open all of them; a backend that cannot be opened counts as failing."""
    from gate.backends.several.backend import open_several  # noqa: PLC0415 - a policy can be read without it

    return open_several(settings.backends, limits)


def _open_doctor(settings: SeveralSettings, limits: Limits) -> "Doctor":
    """Open the doctors in the same way as `_open`."""
    from gate.backends.several.doctor import SeveralDoctor  # noqa: PLC0415 - as above

    return SeveralDoctor(settings.backends, limits)


REGISTRATION: Final = Opening(
    settings=SeveralSettings,
    open=_open,
    open_doctor=_open_doctor,
    secrets=lambda settings: tuple(
        text for own in settings.backends.values() for text in secrets_of(own)
    ),
    files=lambda settings: tuple(
        file for own in settings.backends.values() for file in files_of(own)
    ),
)
