"""The checks of ``gate doctor`` for counts in a file, without a server."""

from collections.abc import Sequence
from datetime import datetime

from gate.backends.static.backend import StaticBackend
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, Unmeasured
from gate.measure.diagnosis import Check, CheckedSlo, CheckResult, Diagnosis, Level


@dataclass(frozen=True, slots=True)
class StaticDoctor:
    """Reads the file in the same way as for a budget."""

    backend: StaticBackend

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Return whether each SLO has its counts; there are no results about a server."""
        file = str(self.backend.path)
        answers = self.backend.measure([slo.request for slo in slos], at)
        nothing_live = CheckResult(
            check=Check.LIVE,
            level=Level.DOUBT,
            message=f"the counts are written down in {file}; nothing live is behind them",
            remedy="for real decisions name a backend that measures, such as prometheus or logs",
            examined=file,
        )
        return Diagnosis(
            backend=(nothing_live,), slos=tuple((_result(answer, file),) for answer in answers)
        )


def _result(answer: Answer, file: str) -> CheckResult:
    if not isinstance(answer, Unmeasured):
        return CheckResult(check=Check.COUNTED, message="written down", examined=file)
    unread = answer.cause is Cause.BACKEND_ERROR
    return CheckResult(
        check=Check.REACH if unread else Check.COUNTED,
        level=Level.FAULT,
        message=answer.reason,
        remedy="correct the file",
        examined=file,
    )
