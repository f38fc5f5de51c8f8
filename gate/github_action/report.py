"""How the step of the GitHub Action ends, and its report without a decision."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.policy.findings import Verdict
from gate.reporters.escape import block, code

UNKNOWN: Final = "unknown"
"""The value of an output: GitHub's expressions do not read it as a number, so that every comparison
with it is false."""
NO_DECISION: Final = "error"
"""The verdict of a step without a decision."""
_WHY: Final = {
    ExitCode.USAGE: "The inputs or a policy file are wrong.",
    ExitCode.INTERRUPTED: "The run was interrupted.",
}
_INTERNAL: Final = "gate itself failed; the log of the step has the trace."
_LONGEST: Final = 4_000
"""Characters of an error's text that a report shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnding:
    """How the step ends."""

    code: ExitCode
    outputs: dict[str, str]
    """Without those that name files."""
    report: str
    """Markdown."""
    complaint: str = ""
    """An annotation; empty: the decision brings its own."""


def decided(exit_code: ExitCode, decision: str, report: str) -> StepEnding:
    """Return what a decision comes to.

    Of several policies the one with the worst verdict counts, and of these the one that has least
    left, or whose budget is unknown.

    Args:
        exit_code: of the command.
        decision: JSON; empty or cut off where it could not be written.
        report: Markdown.
    """
    try:
        document = json.loads(decision)
    except ValueError:
        # It could not be written: the exit code holds, but nothing may act on the details.
        return StepEnding(code=exit_code, outputs=_outputs(exit_code, UNKNOWN), report=report)
    worst = max(document["policies"], key=_badness)
    outputs = _outputs(
        exit_code,
        document["verdict"],
        tier=worst["tier"],
        remaining=_remaining(worst),
        change=document["change_class"],
    )
    return StepEnding(code=exit_code, outputs=outputs, report=report)


def failed(exit_code: ExitCode, output: str) -> StepEnding:
    """Return what a run without a decision comes to; ``output`` is what the command wrote."""
    why = _WHY.get(exit_code, _INTERNAL)
    usage = output.strip()[-_LONGEST:] if exit_code is ExitCode.USAGE else ""
    parts = ["## ❌ No decision", f"{why} This is not a verdict: nothing may ship on it."]
    return StepEnding(
        code=exit_code,
        outputs=_outputs(exit_code, NO_DECISION),
        report="\n\n".join([*parts, *([block(usage)] if usage else [])]) + "\n",
        complaint=f"{why}\n{usage}".rstrip(),
    )


def undetermined(output: str) -> StepEnding:
    """Return what a run comes to where it is not known which text of a policy counts.

    Args:
        output: what the command wrote.
    """
    said = "It is not known which text of a policy counts, so nothing was measured. The step fails."
    reason = output.strip()[-_LONGEST:]
    return StepEnding(
        code=ExitCode.UNDECIDED,
        outputs=_outputs(ExitCode.UNDECIDED, str(Verdict.UNDECIDED)),
        report=f"## ❔ UNDECIDED: no policy that counts\n\n{said}\n\n{block(reason)}\n",
        complaint=f"UNDECIDED: {said}\n{reason}",
    )


def without_secrets(missing: Sequence[str], *, passes: bool) -> StepEnding:
    """Return what a run of a fork or of Dependabot comes to, which has not what the policy needs.

    Args:
        missing: the environment variables that are not there.
        passes: the exit code is that of allow; the verdict is undecided anyway.
    """
    exit_code = ExitCode.ALLOW if passes else ExitCode.UNDECIDED
    said = "A pull request from a fork, or of Dependabot, has no secrets"
    then = "The step passes, as its inputs say." if passes else "The step fails, exit code 3."
    report = (
        f"## ❔ UNDECIDED: no secrets here\n\n{said}: {_listed(map(code, missing))} not set, so "
        f"nothing was measured. That is neither a pass nor a block. {then}\n\n"
        "- **What now:** the budget is measured where there are secrets: in the merge queue, on "
        "the push after the merge, or in the job that deploys.\n"
    )
    return StepEnding(
        code=exit_code,
        outputs=_outputs(exit_code, str(Verdict.UNDECIDED)),
        report=report,
        complaint=f"UNDECIDED: {said}: {_listed(missing)} not set. Nothing was measured. {then}",
    )


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return f"{', '.join(listed)} {'is' if len(listed) == 1 else 'are'}"


def _badness(policy: dict[str, Any]) -> tuple[int, bool, float]:
    left = _left(policy)
    return Verdict(policy["verdict"]).severity, left is None, -(left or 0)


def _left(policy: dict[str, Any]) -> float | None:
    """Return what is left of the budget that decided; None: none was measured."""
    shares = {slo["name"]: slo["remaining"] for slo in policy["slos"]}
    return shares.get(policy["worst_slo"])


def _remaining(policy: dict[str, Any]) -> str | None:
    left = _left(policy)
    return None if left is None else str(left)


def _outputs(
    exit_code: ExitCode,
    verdict: str,
    *,
    tier: str | None = None,
    remaining: str | None = None,
    change: str | None = None,
) -> dict[str, str]:
    return {
        "verdict": verdict,
        "exit-code": str(int(exit_code)),
        "tier": tier or UNKNOWN,
        "remaining": remaining or UNKNOWN,
        "change-class": change or UNKNOWN,
    }
