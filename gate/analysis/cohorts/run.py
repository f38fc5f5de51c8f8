"""Compare cohorts: which events burn the budgets of one or several policies."""

from collections.abc import Callable, Iterator, Sequence

from gate import __version__
from gate.analysis.cohorts import CohortReport, ServiceCohorts
from gate.analysis.cohorts.measure import (
    CohortOptions,
    MeasuredCohorts,
    SloRequest,
    cohort_requests,
    left_out_slos,
    measured_slo,
)
from gate.backends import backends_in, described, open_backend, without_history
from gate.backends.waits import run_concurrently
from gate.check.measure import OpenBackend
from gate.check.promises import with_promises
from gate.config.load import PolicyFile
from gate.errors import UsageError, nearest
from gate.history.cohorts.contests import Contest, compare_all
from gate.measure.capabilities import cohorts_of
from gate.measure.cohorts import CohortAnswer, CohortBackend, each_cohort_answer


def compare_cohorts(
    files: Sequence[PolicyFile], options: CohortOptions, *, open_with: OpenBackend = open_backend
) -> CohortReport:
    """Return the events that burn the budgets of every policy, by group.

    Raises:
        UsageError: a backend cannot separate events, no policy has a named SLO, or a backend's
            package is missing.
    """
    _check_names(files, options)
    files, open_with = with_promises(files, options.at, options.timeout, open_with)
    backends = [_cohort_backend(file, options, open_with) for file in files]

    def task(place: int) -> Callable[[], ServiceCohorts]:
        def compare() -> ServiceCohorts:
            requests = cohort_requests(files[place].policy, options)
            answers = each_cohort_answer(backends[place], [request for _, request in requests])
            return service_cohorts(files[place], options, answers)

        return compare

    return CohortReport(
        services=tuple(run_concurrently([task(place) for place in range(len(files))])),
        by=options.by,
        within=options.stratify_by,
        at=options.at,
        tool_version=__version__,
    )


def _check_names(files: Sequence[PolicyFile], options: CohortOptions) -> None:
    names = [slo.name for file in files for slo in file.policy.slos]
    for name in options.slos:
        if name not in names:
            raise UsageError(f"no policy has the SLO {name}{nearest(name, names)}")


def _cohort_backend(
    file: PolicyFile, options: CohortOptions, open_with: OpenBackend
) -> CohortBackend:
    backend = cohorts_of(open_with(file.settings, file.limits(options.timeout)))
    if backend is None:
        kinds = [own.kind for own in backends_in(file.settings).values()]
        lack = f"{described(file.settings)} cannot separate events by labels"
        raise UsageError(f"{file.source.path}: {without_history(kinds, lack)}")
    return backend


def service_cohorts(
    file: PolicyFile, options: CohortOptions, answers: Iterator[CohortAnswer]
) -> ServiceCohorts:
    """Return the results of the answers to a policy's `cohort_requests`, in their order.

    No answer is kept: the comparisons of its groups are made before the next is requested.
    """
    measured = list[MeasuredCohorts]()

    def contests(pair: SloRequest) -> list[Contest]:
        slo, own = measured_slo(file.policy, *pair, next(answers), options)
        measured.append(slo)
        return own

    compared = compare_all(map(contests, cohort_requests(file.policy, options)))
    return ServiceCohorts(
        policy=file.policy,
        source=file.source,
        slos=tuple(
            slo.compared(comparisons) for slo, comparisons in zip(measured, compared, strict=True)
        ),
        left_out=left_out_slos(file.policy, options),
    )
