"""One run over one or several policies: the decision, or the status without a verdict."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from typing import Final, TypeVar

from gate import __version__
from gate.backends import open_backend
from gate.backends.waits import run_concurrently
from gate.budget.assessment import Assessment
from gate.check.decide import BudgetsAndPast, decide, with_evidence
from gate.check.measure import KeptHistory, OpenBackend, measure
from gate.check.options import Options, check_words, counting_override, overriding
from gate.config.load import PolicyFile
from gate.decision.decision import Decision, exit_code, overall_verdict
from gate.decision.status import PolicyStatus, Status
from gate.measure import Backend
from gate.measure.capabilities import HistoryBackend, KeepingBackend, LimitedBackend, history_of
from gate.policy.case import NO_PAST
from gate.policy.policy import Policy

T = TypeVar("T")
_PATIENCE: Final = timedelta(seconds=10)
"""The time limit of a history that does not affect the decision."""


def run_check(
    files: Sequence[PolicyFile], options: Options, *, open_with: OpenBackend = open_backend
) -> Decision:
    """Decide on a change under every policy; the worst of them is the verdict.

    Raises:
        UsageError: the change class is unknown to a policy, a requirement to all of them, an
            override does not count, or a backend's package is missing.
    """
    check_words(files, options)
    files, open_with = _with_promises(files, options, open_with)
    options = replace(options, override=counting_override(files, options))
    opened, proposals = _open(files, options, open_with), None
    backends = opened
    if any(file.proposed is not None for file in files):
        from gate.check.proposed import Proposals  # noqa: PLC0415 - for changes of a policy only

        proposals = Proposals(files, backends, options)
        backends, options = proposals.backends, proposals.options
    measured = _for_all(files, backends, options, measure_and_gather)
    decision = judge_measured(files, measured, options, open_with, opened)
    if proposals is None:
        return decision
    policies = proposals.beside(decision.policies, measure_and_gather)
    return replace(decision, policies=policies)


def measure_policies(
    files: Sequence[PolicyFile], options: Options, *, open_with: OpenBackend = open_backend
) -> list[BudgetsAndPast]:
    """Measure everything that decisions by these policies at one instant need.

    Raises:
        UsageError: a backend's package is missing.
    """
    return _for_all(files, _open(files, options, open_with), options, measure_and_gather)


def judge_measured(
    files: Sequence[PolicyFile],
    measured: Sequence[BudgetsAndPast],
    options: Options,
    open_with: OpenBackend | None,
    backends: Sequence[Backend] | None = None,
) -> Decision:
    """Decide on a change by the measurements.

    Args:
        files: the policies.
        measured: the result of `measure_policies` for them.
        options: options with the same instant.
        open_with: the function that opens the history for recoveries; None: recoveries are not
            needed.
        backends: the backends that have measured; their kept data is not requested again.
    """
    facts = cache(options.facts)
    measuring: Sequence[Backend | None] = backends or (None,) * len(files)
    policies = tuple(
        decide(file, budgets, options, facts, partial(_history, file, options, open_with, backend))
        for file, budgets, backend in zip(files, measured, measuring, strict=True)
    )
    verdict = overall_verdict((policy.verdict for policy in policies), options.mode)
    labelled = overriding(policies, options)
    override = labelled.override
    ends = [options.at + min(file.policy.valid_for for file in files)]
    if override is not None:
        ends.append(override.until)
    return Decision(
        policies=policies,
        verdict=verdict,
        exit_code=exit_code(
            verdict,
            observe=options.observe,
            fail_on_warn=options.fail_on_warn,
            override=override,
        ),
        mode=options.mode,
        observe=options.observe,
        fail_on_warn=options.fail_on_warn,
        evaluated_at=options.at,
        expires_at=min(ends),
        tool_version=__version__,
        context=options.context,
        override=override,
        not_overridden=labelled.why_not,
        key=options.key,
    )


def run_status(
    files: Sequence[PolicyFile],
    options: Options,
    *,
    with_burn_downs: bool = False,
    open_with: OpenBackend = open_backend,
) -> Status:
    """Return every budget, without a verdict.

    Args:
        files: the policies.
        options: options, of which only the instant and the time limits are used.
        with_burn_downs: whether to also request the burn-downs of the measured budgets.
        open_with: the function that opens a backend.

    Raises:
        UsageError: a backend's package is missing.
    """
    files, open_with = _with_promises(files, options, open_with)
    backends = _open(files, options, open_with)
    assessed = _for_all(files, backends, options, _measure)
    opening = open_with if with_burn_downs else None
    tasks = [
        partial(_status, file, assessments, options, opening, backend)
        for file, assessments, backend in zip(files, assessed, backends, strict=True)
    ]
    return Status(
        policies=tuple(run_concurrently(tasks)),
        evaluated_at=options.at,
        tool_version=__version__,
    )


def _status(
    file: PolicyFile,
    assessments: tuple[Assessment, ...],
    options: Options,
    open_with: OpenBackend | None,
    backend: Backend,
) -> PolicyStatus:
    """Return the status of a policy, with histories if a backend is opened for them."""
    status = PolicyStatus(policy=file.policy, source=file.source, assessments=assessments)
    if open_with is None:
        return status
    from gate.check.past import gather_burn_downs  # noqa: PLC0415 - a check has no use for it

    history = _history(file, options, open_with, backend)
    burn_downs = gather_burn_downs(file.policy, history, assessments, options.at)
    return replace(status, burn_downs=burn_downs)


def _history(
    file: PolicyFile, options: Options, open_with: OpenBackend | None, measured: Backend | None
) -> HistoryBackend | None:
    """Open the history of a policy for facts without an effect, with a short time limit.

    Data that the backend has kept is not requested again, and its connections are reused.
    """
    if open_with is None:
        return None
    limits = file.limits(min(options.timeout, _PATIENCE))
    candidate: Backend | KeepingBackend | LimitedBackend | None = measured
    if isinstance(candidate, KeepingBackend):
        return KeptHistory(candidate, lambda: history_of(open_with(file.settings, limits)))
    if isinstance(candidate, LimitedBackend):
        return history_of(candidate.within(limits.timeout))
    return history_of(open_with(file.settings, limits))


def _with_promises(
    files: Sequence[PolicyFile], options: Options, open_with: OpenBackend
) -> tuple[Sequence[PolicyFile], OpenBackend]:
    """Return the policies with their platforms' objectives, and the opener of backends."""
    if not any(file.policy.waits_for_platforms for file in files):
        return files, open_with
    from gate.check.promises import with_promises  # noqa: PLC0415 - for such SLOs only

    return with_promises(files, options.at, options.timeout, open_with)


def _open(
    files: Sequence[PolicyFile], options: Options, open_with: OpenBackend
) -> Sequence[Backend]:
    return [open_with(file.settings, file.limits(options.timeout)) for file in files]


def _for_all(
    files: Sequence[PolicyFile],
    backends: Sequence[Backend],
    options: Options,
    work: Callable[[Policy, Backend, Options], T],
) -> list[T]:
    """Do the work for every policy, several at once: each may wait for its own backend."""
    return run_concurrently(
        [
            partial(work, file.policy, backend, options)
            for file, backend in zip(files, backends, strict=True)
        ]
    )


def _measure(policy: Policy, backend: Backend, options: Options) -> tuple[Assessment, ...]:
    return measure(policy, backend, at=options.at, impact=options.impact, also=options.also)


def measure_and_gather(policy: Policy, backend: Backend, options: Options) -> BudgetsAndPast:
    """Measure everything that decisions by a policy at the options' instant need."""
    return with_evidence(policy, backend, options, with_past)


def with_past(policy: Policy, backend: Backend, options: Options) -> BudgetsAndPast:
    """Measure the budgets of a policy, and gather the past that its rules need."""
    assessments = _measure(policy, backend, options)
    if not policy.looks_back:
        return assessments, NO_PAST
    from gate.check.past import gather_history  # noqa: PLC0415 - for rules that need the history

    return assessments, gather_history(policy, history_of(backend), options.at)
