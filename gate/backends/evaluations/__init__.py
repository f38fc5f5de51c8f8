"""Result files of evaluations, one for each run: the outcomes of their cases, as events."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.evaluations.settings import BLOCK, EvaluationsSettings, usual_age
from gate.measure import Backend, Limits
from gate.parsing.files import literal
from gate.slo.indicator import Sli, Slices

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor


def _open(settings: EvaluationsSettings, _limits: Limits) -> Backend:
    from gate.backends.evaluations.backend import EvaluationsBackend  # noqa: PLC0415 - a policy can be read without it

    return EvaluationsBackend(settings)


def _open_doctor(settings: EvaluationsSettings, _limits: Limits) -> "Doctor":
    from gate.backends.evaluations.backend import EvaluationsBackend  # noqa: PLC0415 - as above
    from gate.backends.evaluations.doctor import EvaluationsDoctor  # noqa: PLC0415

    return EvaluationsDoctor(EvaluationsBackend(settings))


def _mistake_in(_sli: Sli, slices: Slices | None) -> str | None:
    if slices is None:
        return None
    return "timeslices do not go with runs of an evaluation, which are too rare; remove them"


_STARTER: Final = Starter(
    block="""\
backend:
  type: evaluations
  path: evals/history/**/*.json   # from this file's folder; one result file for each run
  every: 24h                      # how often a run is due

""",
    slos="""\
slos:
  - name: golden-set
    objective: 95%            # 5% of the cases may fail
    window: 30d
    sampled: true             # the cases are a sample: a 95% interval decides
    sli:
      metric: all             # or the name of one metric, as the result files have it
""",
    advice="set the path, and keep the result file of every run there",
)
REGISTRATION: Final = Registration(
    settings=EvaluationsSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=lambda _: (),  # files need no login
    files=lambda settings: (str(Path(literal(str(settings.directory))) / settings.path),),
    public=frozenset(BLOCK.fields),
    starter=_STARTER,
    indicators=frozenset({"metric"}),
    keeps_history=True,
    promql=False,
    reads_rows=False,
    mistake_in=_mistake_in,
    max_age=usual_age,
)
