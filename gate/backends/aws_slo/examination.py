"""What ``gate doctor`` says of Application Signals: the account, the region and the rights."""

from collections.abc import Callable, Iterator
from typing import Any

from gate.backends.aws_slo.client import ARN, ApplicationSignals
from gate.measure import MeasurementError
from gate.measure.diagnosis import Check, CheckResult, Level


def examine(service: ApplicationSignals) -> list[CheckResult]:
    """Try each kind of request that counting needs, on the first SLO that is listed.

    Raises:
        MeasurementError: SLOs cannot be listed.
    """
    summaries = service.summaries()
    arns = [str(summary.get("Arn")) for summary in summaries]
    accounts = sorted({match[2] for arn in arns if (match := ARN.fullmatch(arn))})
    where = f" of account {' and '.join(accounts)}" if accounts else ""
    site = CheckResult(
        check=Check.SITE, message=f"{service.shown}{where} has {len(summaries)} SLOs"
    )
    if not arns:
        remedy = "check the region and the account of the login, or create the SLO"
        message = f"{service.shown} has no SLO"
        return [CheckResult(check=Check.SITE, level=Level.FAULT, message=message, remedy=remedy)]
    return [site, *_rights(service, arns[0])]


def _rights(service: ApplicationSignals, arn: str) -> Iterator[CheckResult]:
    """Yield which right is missing, or that all are there."""
    now = service.api.clock.now()
    tried: dict[str, Callable[[], Any]] = {
        "GetServiceLevelObjective": lambda: _first(service.slos([arn])),
        "BatchGetServiceLevelObjectiveBudgetReport": lambda: _first(service.reports([[arn]], now)),
        "ListServiceLevelObjectiveExclusionWindows": lambda: _first(service.exclusions([arn])),
    }
    missing = 0
    for action, ask in tried.items():
        try:
            ask()
        except MeasurementError as error:
            missing += 1
            needed = action != "ListServiceLevelObjectiveExclusionWindows"
            yield CheckResult(
                check=Check.RIGHTS,
                level=Level.FAULT if needed else Level.DOUBT,
                message=error.reason,
                remedy=f"let the login have application-signals:{action}",
                examined=action,
            )
    if not missing:
        yield CheckResult(check=Check.RIGHTS, message="the login may read all that is needed")


def _first(answers: list[Any]) -> None:
    if isinstance(answers[0], MeasurementError):
        raise answers[0]
