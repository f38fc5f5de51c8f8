"""The ``static`` backend: written counts, for trying a policy and for tests."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from gate.backends import Registration, Starter
from gate.dataclass import dataclass
from gate.measure import Backend, Limits
from gate.parsing.files import literals
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.values import CONNECTION

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticSettings:
    """A file of counts."""

    kind: ClassVar[str] = "static"

    path: Path
    """A JSON or YAML file."""


def _build_settings(values: Values, reader: Reader) -> StaticSettings:
    return StaticSettings(path=reader.existing(values.node("path"), values.get("path")))


def _open(settings: StaticSettings, _limits: Limits) -> Backend:
    from gate.backends.static.backend import StaticBackend  # noqa: PLC0415 - a policy can be read without it

    return StaticBackend(settings.path)


def _open_doctor(settings: StaticSettings, _limits: Limits) -> "Doctor":
    from gate.backends.static.backend import StaticBackend  # noqa: PLC0415 - as above
    from gate.backends.static.doctor import StaticDoctor  # noqa: PLC0415

    return StaticDoctor(StaticBackend(settings.path))


_STARTER: Final = Starter(
    block="""\
backend:
  type: static
  path: counts.yaml           # from this file's folder

""",
    slos="""\
slos:
  - name: availability        # also the name of the counts in the file
    objective: 99.9%
    window: 30d
""",
    advice="write counts.yaml with counts: {availability: {total: 1000000, bad: 400}}",
)
REGISTRATION: Final = Registration(
    settings=StaticSettings,
    block=Object(
        {
            "path": Field(
                schema=CONNECTION,
                doc="JSON or YAML file of counts, relative to this file's folder.",
                required=True,
                example="counts.yaml",
            )
        },
        _build_settings,
    ),
    open=_open,
    open_doctor=_open_doctor,
    secrets=lambda _: (),  # a file needs no login
    files=lambda settings: literals(settings.path),
    public=frozenset({"path"}),
    starter=_STARTER,
    indicators=frozenset({"series"}),
    keeps_history=False,
    promql=False,
    reads_rows=False,
    mistake_in=lambda _sli, _slices: None,
    max_age=lambda _: None,
)
