"""The verdict of a policy that the change itself alters, from the same measurements."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Final

from gate.check.decide import Measure, decide
from gate.check.measure import burn_windows
from gate.check.options import Options
from gate.check.promises import promised
from gate.check.replay import LookedUp, Recording, Replaying, record
from gate.config.load import PolicyFile
from gate.config.proposal import ProposedPolicy, finish_within, why_not_judged
from gate.decision.decision import PolicyDecision, Proposed
from gate.measure import Backend
from gate.parsing.limits import TooLargeError
from gate.policy.findings import Verdict, worst
from gate.slo.objective import CompositeSlo, PlatformSlo
from gate.wording import PROPOSAL_DIFFERS, PROPOSAL_OTHER_BACKEND, PROPOSAL_OTHER_BACKENDS

_SECONDS: Final = 5.0
"""The time limit for all proposals of a run together."""
_REQUESTS: Final = 20_000
"""The maximum number of counts of one policy; 1,000 SLOs with the SRE workbook's burn rates need
8,000."""


class Proposals:
    """The policies that a change proposes, beside those that count.

    No server is queried for them: facts that were not measured or looked up for the policies that
    count are unknown. With unknown facts, the verdict of a proposed policy is at best undecided.
    """

    def __init__(
        self, files: Sequence[PolicyFile], backends: Sequence[Backend], options: Options
    ) -> None:
        """Take the policies that count with their opened backends, and the options of the run."""
        looked_up = LookedUp(options)
        self.options = looked_up.first(options)
        """For the policies that count: their looked-up facts are remembered."""
        self._again = looked_up.again(options)
        self._files = files
        self._recorded = [
            None if file.proposed is None else record(backend)
            for file, backend in zip(files, backends, strict=True)
        ]
        for file, recorded in zip(files, self._recorded, strict=True):
            _look_up(file, recorded)
        self.backends: list[Backend] = [
            recorded or backend for recorded, backend in zip(self._recorded, backends, strict=True)
        ]
        """For the policies that count: their measurements are remembered."""

    def beside(
        self, decided: Sequence[PolicyDecision], measure: Measure
    ) -> tuple[PolicyDecision, ...]:
        """Return the decisions that count, with the verdicts of altered policies; never raises.

        Args:
            decided: one for each of the policies.
            measure: the same measurement as for those that count.
        """
        end = monotonic() + _SECONDS
        return tuple(
            policy
            if file.proposed is None or recorded is None
            else replace(policy, proposed=self._judged(file, file.proposed, recorded, measure, end))
            for policy, file, recorded in zip(decided, self._files, self._recorded, strict=True)
        )

    def _judged(
        self,
        file: PolicyFile,
        proposed: ProposedPolicy,
        recorded: Recording,
        measure: Measure,
        end: float,
    ) -> Proposed:
        """Return the verdict of a proposed policy, or the reason why it has none."""
        if proposed.policy is None:
            return Proposed(verdict=None, reason=proposed.why_not, sha256=proposed.sha256)
        replaying = Replaying(recorded, proposed.measured_by)
        altered = replace(file, policy=proposed.policy, proposed=None)
        judge = partial(_verdict, altered, replaying, self._again, measure)
        try:
            verdict = finish_within(max(end - monotonic(), 0), judge)
        except Exception as error:  # noqa: BLE001 - the text of a change ends no run
            return Proposed(verdict=None, reason=why_not_judged(error), sha256=proposed.sha256)
        if not replaying.differs:
            return Proposed(verdict=verdict, sha256=proposed.sha256)
        reason = PROPOSAL_OTHER_BACKENDS if proposed.backends else PROPOSAL_OTHER_BACKEND
        reason = PROPOSAL_DIFFERS if proposed.same_backend else reason
        verdict = worst([verdict, Verdict.UNDECIDED])
        return Proposed(verdict=verdict, reason=reason, sha256=proposed.sha256)


def _look_up(file: PolicyFile, recorded: Recording | None) -> None:
    """Give a recording the platform's definitions, only for SLOs of the policy that counts."""
    proposed = None if file.proposed is None else file.proposed.policy
    if recorded is None or proposed is None:
        return
    if any(isinstance(slo, PlatformSlo) for slo in proposed.slos):
        slis = [slo.sli for slo in file.policy.slos if not isinstance(slo, CompositeSlo)]
        recorded.definitions([sli for sli in slis if sli.slo is not None])


def _verdict(file: PolicyFile, replaying: Replaying, options: Options, measure: Measure) -> Verdict:
    policy = promised(file.policy, replaying, options.at)
    file = replace(file, policy=policy)
    if len(policy.slos) * (len(burn_windows(policy)) + 1) > _REQUESTS:
        raise TooLargeError
    measured = measure(policy, replaying, options)
    # The time when it would be allowed again is not shown, so no history is needed.
    return decide(file, measured, options, options.facts, lambda: None).verdict
