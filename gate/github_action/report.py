"""The end of the GitHub Action's step, and its report if there is no decision."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.policy.findings import Verdict
from gate.reporters.escape import block, code

UNKNOWN: Final = "unknown"
"""The value of an unknown output: GitHub's expressions do not read it as a number, so that every
comparison with it is false."""
NO_DECISION: Final = "error"
"""The verdict of a step without a decision."""
_WHY: Final = {
    ExitCode.USAGE: "The inputs or a policy file are wrong.",
    ExitCode.INTERRUPTED: "The run was interrupted.",
}
_INTERNAL: Final = "gate itself failed; the log of the step has the trace."
_LONGEST: Final = 4_000
"""The maximum number of characters of an error's text in a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnding:
    """The end of the step."""

    code: ExitCode
    outputs: dict[str, str]
    """The outputs without those that name files."""
    report: str
    """The report in Markdown."""
    complaint: str = ""
    """The text of an annotation; empty: the decision has its own."""


def decided(exit_code: ExitCode, decision: str, report: str) -> StepEnding:
    """Return the end of a step with a decision.

    Of several policies, one with the worst verdict counts, and among these the one with the least
    budget left, or with an unknown budget.

    Args:
        exit_code: the exit code of the command.
        decision: the decision in JSON; empty or cut off if it could not be written.
        report: the report in Markdown.
    """
    try:
        document = json.loads(decision)
    except ValueError:
        # The decision could not be written: the exit code holds, but the details cannot be used.
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
    """Return the end of a step without a decision; ``output`` is the output of the command."""
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
    """Return the end of a step for which it is unknown which text of a policy counts.

    Args:
        output: the output of the command.
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
    """Return the end of a run of a fork or of Dependabot, without the policy's variables.

    Args:
        missing: the missing environment variables.
        passes: whether the exit code is that of allow; the verdict is undecided in either case.
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
    """Return the remaining share of the budget that decided; None: no budget was measured."""
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
