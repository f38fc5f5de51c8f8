"""Watch a canary: the requests to each backend, in their steps."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from gate.analysis.watch import WatchOptions, WatchReport
from gate.analysis.watch.alignment import Alignment
from gate.analysis.watch.arms import WatchGrid, watched_slos
from gate.analysis.watch.judge import Judge
from gate.analysis.watch.loop import Watching
from gate.analysis.watch.phrases import reasons
from gate.analysis.watch.state import Surroundings, WatchQuestion, WatchState
from gate.backends import described, open_backend
from gate.check.measure import OpenBackend
from gate.check.promises import with_promises
from gate.config.load import PolicyFile
from gate.errors import UsageError
from gate.measure import Backend
from gate.measure.capabilities import cohorts_of
from gate.measure.cohorts import CohortBackend
from gate.measure.history import clock_start

_MINUTE: Final = timedelta(minutes=1)


def watch_grid(options: WatchOptions, start: datetime) -> WatchGrid:
    """Return the steps of a watch: on the clock, the first begins with the minute or sooner."""
    grain = min(options.every, _MINUTE)
    first = clock_start(start, grain)
    first += grain if first < start else timedelta()
    return WatchGrid(first, options.every, -(-options.lasting // options.every))


def watch_question(file: PolicyFile, options: WatchOptions) -> WatchQuestion:
    """Return the question of the watch.

    Raises:
        UsageError: an SLO does not exist, or cannot be compared.
    """
    baseline = options.arms.baseline
    return WatchQuestion(
        policy=file.source.sha256,
        service=file.policy.service,
        canary=str(options.arms.canary),
        baseline=None if baseline is None else str(baseline),
        slos=tuple(slo.name for slo in watched_slos(file.policy, options.slos)),
        every=options.every,
        lasting=options.lasting,
        revision=options.revision,
        bars={
            "margin": str(options.margin),
            "max_spend": str(options.max_spend),
            "trigger": ", ".join(f"{slo}: {p.most}" for slo, p in options.promises.items()),
        },
    )


def open_watched(
    file: PolicyFile, timeout: timedelta, open_with: OpenBackend
) -> tuple[Backend, CohortBackend]:
    """Open the backend of a policy, as the source of counts and of cohorts.

    Raises:
        UsageError: it cannot separate events by labels, or a package of it is missing.
    """
    backend = open_with(file.settings, file.limits(timeout))
    cohorts = cohorts_of(backend)
    if cohorts is None:
        raise UsageError(
            f"{file.source.path}: {described(file.settings)} cannot separate events by labels; a"
            " watch needs prometheus, logs or an SQL engine"
        )
    return backend, cohorts


def watch(
    file: PolicyFile,
    options: WatchOptions,
    state: WatchState,
    surroundings: Surroundings,
    *,
    open_with: OpenBackend = open_backend,
) -> WatchReport:
    """Watch a canary until there is a verdict, the time is up, or the surroundings end it.

    Args:
        file: the policy.
        options: the settings of the watch.
        state: the earlier counts; its question is that of the policy and the options.
        surroundings: the clock, and the functions that wait and write.
        open_with: the function that opens the backend.

    Raises:
        UsageError: the backend cannot separate events, or a package of it is missing.
    """
    (file,), open_with = with_promises([file], state.grid.end, options.timeout, open_with)
    slos = watched_slos(file.policy, options.slos)
    backend, cohorts = open_watched(file, options.timeout, open_with)
    watching = Watching(
        file=file,
        options=options,
        state=state,
        surroundings=surroundings,
        backend=backend,
        cohorts=cohorts,
        alignment=Alignment(
            slos=slos,
            arms=options.arms,
            grid=state.grid,
            cohorts=cohorts,
            surroundings=surroundings,
        ),
        slos=slos,
        settled=Judge(slos=slos, options=options),
        shown=Judge(slos=slos, options=options),
    )
    report = watching.run()
    return replace(report, reasons=tuple(reasons(report)))
