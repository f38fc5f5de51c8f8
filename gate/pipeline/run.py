"""One run over one or several policies: the decision, or the status without a verdict."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Thread
from typing import Final, TypeVar

from gate import __version__
from gate.backends import open_backend
from gate.budget.assessment import Assessment
from gate.budget.impact import Impact
from gate.config.load import PolicyFile
from gate.config.reader import nearest
from gate.decision.decision import Decision, PolicyDecision, exit_code
from gate.decision.status import PolicyStatus, Status
from gate.errors import UsageError
from gate.pipeline.measure import OpenBackend, measure
from gate.policy.findings import worst
from gate.policy.judge import allowed_now, judge
from gate.settings import Limits

T = TypeVar("T")

DEFAULT_TIMEOUT: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for."""

    at: datetime
    """The one instant of the run."""
    change: str | None = None
    """The change class; None: each policy's default."""
    satisfied: Mapping[str, str] = field(default_factory=dict)
    """Requirement -> evidence."""
    impact: Impact | None = None
    observe: bool = False
    fail_on_warn: bool = False
    timeout: timedelta = DEFAULT_TIMEOUT


def check(
    files: Sequence[PolicyFile], options: Options, *, open_with: OpenBackend = open_backend
) -> Decision:
    """Decide on a change under every policy; the worst of them is the verdict.

    Raises:
        UsageError: the change class is unknown to a policy, a requirement to all of them, or a
            backend's package is missing.
    """
    _check_words(files, options)
    assessed = _measure_all(files, options, open_with)
    policies = tuple(
        _decide(file, assessments, options)
        for file, assessments in zip(files, assessed, strict=True)
    )
    verdict = worst(policy.verdict for policy in policies)
    return Decision(
        policies=policies,
        verdict=verdict,
        exit_code=exit_code(verdict, observe=options.observe, fail_on_warn=options.fail_on_warn),
        observe=options.observe,
        fail_on_warn=options.fail_on_warn,
        evaluated_at=options.at,
        expires_at=options.at + min(file.policy.valid_for for file in files),
        tool_version=__version__,
    )


def status(
    files: Sequence[PolicyFile], options: Options, *, open_with: OpenBackend = open_backend
) -> Status:
    """Return every budget, without a verdict.

    Raises:
        UsageError: a backend's package is missing.
    """
    assessed = _measure_all(files, options, open_with)
    return Status(
        policies=tuple(
            PolicyStatus(policy=file.policy, source=file.source, assessments=assessments)
            for file, assessments in zip(files, assessed, strict=True)
        ),
        evaluated_at=options.at,
        tool_version=__version__,
    )


def _check_words(files: Sequence[PolicyFile], options: Options) -> None:
    for file in files:
        known = file.policy.change_classes
        if options.change is not None and options.change not in known:
            hint = nearest(options.change, known)
            raise UsageError(f"{file.source.path} has no change class {options.change!r}{hint}")
    requirements = {
        name
        for file in files
        for tier in file.policy.tiers
        for names in tier.require.values()
        for name in names
    }
    for name in options.satisfied:
        if name not in requirements:
            hint = nearest(name, requirements) if requirements else "; no tier requires anything"
            raise UsageError(f"--satisfied {name}: no policy requires this{hint}")


def _measure_all(
    files: Sequence[PolicyFile], options: Options, open_with: OpenBackend
) -> list[tuple[Assessment, ...]]:
    """Measure every policy, several at once: each may wait for a backend of its own."""
    limits = Limits(timeout=options.timeout)
    backends = [open_with(file.settings, limits) for file in files]

    def task(place: int) -> Callable[[], tuple[Assessment, ...]]:
        policy, backend = files[place].policy, backends[place]
        return lambda: measure(policy, backend, at=options.at, impact=options.impact)

    if len(files) == 1:
        return [task(0)()]
    return [future.result() for future in [_start(task(place)) for place in range(len(files))]]


def _start(task: Callable[[], T]) -> "Future[T]":
    """Run a task in a daemon thread: Ctrl-C must not wait for a slow backend."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(task())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    return future


def _decide(
    file: PolicyFile, assessments: tuple[Assessment, ...], options: Options
) -> PolicyDecision:
    policy = file.policy
    change = options.change or policy.default_change
    judgement = judge(policy, assessments, change, at=options.at, satisfied=options.satisfied)
    return PolicyDecision(
        policy=policy,
        source=file.source,
        change_class=change,
        recognised_by="--change" if options.change else "the policy's default",
        assessments=assessments,
        findings=judgement.findings,
        verdict=judgement.verdict,
        tier=judgement.tier,
        worst=judgement.worst,
        allowed_now=allowed_now(policy, assessments, at=options.at, satisfied=options.satisfied),
        allowed_again_at=judgement.allowed_again_at,
        obligations=judgement.obligations,
        satisfied={
            name: evidence
            for name, evidence in options.satisfied.items()
            if name in judgement.obligations
        },
    )
