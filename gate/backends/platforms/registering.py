"""The registration of an SLO platform: the parts that all platforms share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from gate.backends import Registration, Settings, Starter
from gate.measure import Backend, Limits
from gate.parsing.objects import Object
from gate.slo.indicator import Sli, Slices

if TYPE_CHECKING:
    from gate.backends.platforms.backend import PlatformBackend
    from gate.measure.diagnosis import Doctor

S = TypeVar("S", bound=Settings)
_SLOS: Final = """\
slos:
  - name: availability
    from: platform            # objective and window are those of {title}
    sli:
      slo: Chat availability  # {names}
"""


def platform_slos(title: str, names: str) -> str:
    """Return the ``slos`` block that ``gate init`` writes.

    Args:
        title: the platform's name, as its vendor writes it.
        names: the kinds of names of an SLO.
    """
    return _SLOS.format(title=title, names=names)


def platform_registration(
    settings: type[S],
    *,
    block: Object[S],
    backend: Callable[[S, Limits], "PlatformBackend"],
    secrets: Callable[[S], tuple[str, ...]],
    files: Callable[[S], tuple[str, ...]],
    public: frozenset[str],
    starter: Starter,
    no_groups: str | None = None,
    keeps_history: bool,
) -> Registration[S]:
    """Return the registration of an SLO platform.

    Args:
        settings: the class of its settings.
        block: as in `Registration`.
        backend: opens the backend, and sends nothing.
        secrets: as in `Registration`.
        files: as in `Registration`.
        public: as in `Registration`.
        starter: as in `Registration`.
        no_groups: the mistake of an SLO that names a group; None: its SLOs may have groups.
        keeps_history: whether the backend is a `PlatformHistoryBackend`.
    """

    def open_backend(own: S, limits: Limits) -> Backend:
        return backend(own, limits)

    def open_doctor(own: S, limits: Limits) -> "Doctor":
        from gate.backends.platforms.doctor import PlatformDoctor  # noqa: PLC0415 - for one command

        return PlatformDoctor(backend(own, limits))

    def mistake_in(sli: Sli, _slices: Slices | None) -> str | None:
        return None if sli.group is None else no_groups

    return Registration(
        settings=settings,
        block=block,
        open=open_backend,
        open_doctor=open_doctor,
        secrets=secrets,
        files=files,
        public=public,
        starter=starter,
        indicators=frozenset({"platform"}),
        keeps_history=keeps_history,
        promql=False,
        reads_rows=False,
        mistake_in=mistake_in,
        max_age=lambda _: None,
    )
