"""A backend in one folder: lines of ``name bad total`` in a file. Nothing in gate/ knows it.

``REGISTERED`` is the one line that the registry needs.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from gate.backends import Registration, Starter
from gate.measure import Backend, Limits
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.values import SECRET, TEXT

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor

REGISTERED: Final = {"toy": "tests.backends.toy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToySettings:
    """A file of lines, and a token that nobody may see."""

    kind: ClassVar[str] = "toy"

    path: Path
    token: str = field(repr=False)


def _build_settings(values: Values, reader: Reader) -> ToySettings:
    return ToySettings(path=reader.directory / values.get("path"), token=values.get("token"))


def _open(settings: ToySettings, _limits: Limits) -> Backend:
    from tests.backends.toy.backend import ToyBackend  # noqa: PLC0415 - as all backends do

    return ToyBackend(settings.path)


def _open_doctor(settings: ToySettings, limits: Limits) -> "Doctor":
    from tests.backends.toy.backend import ToyDoctor  # noqa: PLC0415 - as above

    return ToyDoctor(_open(settings, limits))


REGISTRATION: Final = Registration(
    settings=ToySettings,
    block=Object(
        {
            "path": Field(schema=TEXT, doc="A file of lines: name bad total.", required=True),
            "token": Field(schema=SECRET, doc="What opens it: ${NAME}.", required=True),
        },
        _build_settings,
    ),
    open=_open,
    open_doctor=_open_doctor,
    secrets=lambda settings: (settings.token,),
    files=lambda settings: (str(settings.path),),
    public=frozenset({"path"}),
    starter=Starter(
        block='backend:\n  type: toy\n  path: counts.txt\n  token: "$${TOY_TOKEN}"\n\n',
        slos="slos:\n  - {name: availability, objective: 99.9%, window: 30d}\n",
        advice="write counts.txt: availability 400 1000000",
    ),
    indicators=frozenset({"series"}),
    keeps_history=False,
    promql=False,
    reads_rows=False,
    mistake_in=lambda _sli, _slices: None,
    max_age=lambda _: None,
)
