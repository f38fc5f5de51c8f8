"""The requests of a run and their answers, with which a proposed policy is judged."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field, fields, is_dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from gate.check.options import Options, RequirementResults, no_shadows, nothing_known
from gate.dataclass import dataclass
from gate.measure import Answer, Backend, Cause, CountRequest, Definition, Unmeasured
from gate.measure.capabilities import definitions_of, history_of
from gate.measure.history import SeriesAnswer, SeriesRequest, coarser, covers
from gate.policy.changes import Approval, ChangeFacts, ChangeMatcher, Live
from gate.policy.policy import Policy
from gate.policy.requirements import Requirement, RequirementResult
from gate.slo.indicator import Sli

_Request = TypeVar("_Request", CountRequest, SeriesRequest)
NOT_MEASURED: Final = Unmeasured(
    cause=Cause.NO_DATA, reason="not measured: it differs from the policy in force"
)
_NOT_LOOKED_UP: Final = Approval(why_not="approvals are only looked up for the policy in force")


@dataclass(slots=True)
class Recording:
    """A backend that records its requests and answers."""

    backend: Backend
    counted: list[tuple[CountRequest, Answer]] = field(default_factory=list)
    histories: list[tuple[SeriesRequest, SeriesAnswer]] = field(default_factory=list)
    defined: list[tuple[Sli, Definition | Unmeasured]] = field(default_factory=list)

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Return the backend's answers."""
        answers = self.backend.measure(requests, at)
        self.counted += zip(requests, answers, strict=False)
        return answers

    def definitions(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return the backend's definitions."""
        answers = definitions_of(self.backend, slis)
        self.defined += zip(slis, answers, strict=True)
        return answers


@dataclass(slots=True)
class RecordingHistory(Recording):
    """A backend with a history that records its requests and answers."""

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the backend's answers."""
        history = history_of(self.backend)
        answers = history.history(requests) if history is not None else []
        self.histories += zip(requests, answers, strict=False)
        return answers


def record(backend: Backend) -> Recording:
    """Return the backend with a recording; it has a history if the backend has one."""
    return Recording(backend) if history_of(backend) is None else RecordingHistory(backend)


class Replaying:
    """Answers equal requests from the recording of another backend, without any query."""

    def __init__(self, recorded: Recording, backends: Mapping[str, str]) -> None:
        """Take the recording, and the name of each backend in the measured policy.

        A backend that is not among them has measured nothing.
        """
        self._backends = backends
        self.differs = False
        """Whether a request was not in the recording."""
        self._counted: dict[Hashable, Answer] = {}
        self._histories: dict[Hashable, list[tuple[SeriesRequest, SeriesAnswer]]] = {}
        self._defined = {_identity(sli): answer for sli, answer in recorded.defined}
        for request, answer in recorded.counted:
            self._counted[_key(request)] = answer
        for past, series in recorded.histories:
            self._histories.setdefault(_identity(past.sli), []).append((past, series))

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002 - the answers are of the run's one instant
        """Return the recorded answers to the same requests."""
        return [self._count(request) for request in requests]

    def definitions(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return the recorded definitions of the same indicators."""
        return [self._definition(sli) for sli in slis]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the recorded answers to requests that cover these."""
        return [self._series(request) for request in requests]

    def _definition(self, sli: Sli) -> Definition | Unmeasured:
        backend = self._backends.get(sli.backend)
        key = None if backend is None else _identity(sli.counted_by(backend))
        answer = self._defined.get(key)
        self.differs = self.differs or answer is None
        return answer or NOT_MEASURED

    def _count(self, asking: CountRequest) -> Answer:
        request, answer = self._renamed(asking), None
        if request is not None:
            answer = self._counted.get(_key(request))
            if answer is None and not request.probe:
                answer = self._counted.get(_key(replace(request, probe=True)))
        self.differs = self.differs or answer is None
        return answer or NOT_MEASURED

    def _renamed(self, request: _Request) -> _Request | None:
        """Return a request as the measured policy would send it; None: it would not."""
        backend = self._backends.get(request.sli.backend)
        return None if backend is None else replace(request, sli=request.sli.counted_by(backend))

    def _series(self, asking: SeriesRequest) -> SeriesAnswer:
        request = self._renamed(asking)
        if request is not None:
            for recorded, answer in self._histories.get(_identity(request.sli), ()):
                if covers(recorded, request):
                    return coarser(answer, recorded, request)
        self.differs = True
        return NOT_MEASURED


def _key(request: CountRequest) -> Hashable:
    """Return the counted indicator: the names of recording rules are only another way to it."""
    return _identity(replace(request, rule_labels=None))


def _identity(value: object) -> Hashable:
    """Return a value that is equal for two values exactly if they are equal; also for blocks."""
    if isinstance(value, Mapping):
        return frozenset((key, _identity(child)) for key, child in value.items())
    if is_dataclass(value) and not isinstance(value, type):
        parts = (_identity(getattr(value, part.name)) for part in fields(value))
        return (type(value), *parts)
    return tuple(map(_identity, value)) if isinstance(value, tuple) else value


class LookedUp:
    """The facts about the change that were looked up for the policies that count."""

    def __init__(self, options: Options) -> None:
        """Take the options of the run, which look up facts."""
        self._find, self._ask = options.facts, options.approve
        self._check, self._compare = options.evidence, options.shadows
        self._evidence: dict[tuple[str, Requirement], RequirementResult] = {}
        self._facts: dict[Live | None, ChangeFacts] = {}
        self._approvals: dict[Hashable, Approval] = {}

    def first(self, options: Options) -> Options:
        """Return the options for the policies that count: looked-up facts are remembered."""
        return replace(
            options,
            facts=self.facts,
            approve=self.approve,
            evidence=self.evidence,
            shadows=self.shadows,
        )

    def again(self, options: Options) -> Options:
        """Return the options for the policies that the change proposes: nothing is looked up."""
        return replace(
            options,
            facts=self.facts_again,
            approve=self.approve_again,
            evidence=self.evidence_again,
            shadows=no_shadows,
        )

    def evidence(self, policy: Policy, at: datetime) -> RequirementResults:
        """Check the evaluations that a policy requires."""
        return self._remembered(policy, self._check(policy, at))

    def shadows(self, policy: Policy, backend: Backend, at: datetime) -> RequirementResults:
        """Compare the shadow deployments that a policy requires."""
        counting = backend.backend if isinstance(backend, Recording) else backend
        return self._remembered(policy, self._compare(policy, counting, at))

    def _remembered(self, policy: Policy, evidence: RequirementResults) -> RequirementResults:
        for requirement, result in evidence.items():
            self._evidence[policy.service, requirement] = result
        return evidence

    def evidence_again(self, policy: Policy, _at: datetime) -> RequirementResults:
        """Return the results for the same requirements of the policy that counts."""
        return {
            requirement: self._evidence[policy.service, requirement]
            for requirement in policy.requirements
            if (policy.service, requirement) in self._evidence
        }

    def facts(self, live: Live | None) -> ChangeFacts:
        """Return the facts about the change, and remember them."""
        facts = self._facts[live] = self._find(live)
        return facts

    def approve(self, matcher: ChangeMatcher, facts: ChangeFacts) -> Approval:
        """Return who has approved, and remember it."""
        approval = self._approvals[_identity(matcher)] = self._ask(matcher, facts)
        return approval

    def facts_again(self, live: Live | None) -> ChangeFacts:
        """Return the remembered facts; nothing is known if no policy that counts needed them.

        The same applies if the proposed policy has another setting for the live commit.
        """
        return self._facts.get(live) or nothing_known(live)

    def approve_again(self, matcher: ChangeMatcher, _facts: ChangeFacts) -> Approval:
        """Return the remembered approvals; without one, nobody has approved."""
        return self._approvals.get(_identity(matcher), _NOT_LOOKED_UP)
