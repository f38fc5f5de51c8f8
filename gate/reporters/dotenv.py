"""The decision as variables, which later jobs of a GitLab pipeline find in their environment.

https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv: a line for each, at most
20 of them, less than 5 KB, and ``$`` in a value is expanded. So names are percent-encoded, like a
part of a URL: nothing in them can be expanded, split by a shell, or become a line of its own.
"""

from typing import Final
from urllib.parse import quote

from gate.decision.decision import Decision
from gate.policy.rounding import compared_between
from gate.reporters.ansi import Style
from gate.wording import exact_instant, left

_LONGEST: Final = 64
"""The maximum number of characters of a name: encoded, each becomes at most twelve."""


def render(decision: Decision, _style: Style) -> str:
    """Return the variables; one is empty if nothing was measured, or if policies differ."""
    classes = {decided.change_class for decided in decision.policies}
    tier, remaining = _worst_budget(decision)
    variables = {
        "GATE_VERDICT": str(decision.verdict),
        "GATE_EXIT_CODE": str(int(decision.exit_code)),
        "GATE_OVERRIDDEN": str(decision.overridden).lower(),
        "GATE_CHANGE_CLASS": _safe(classes.pop()) if len(classes) == 1 else "",
        "GATE_TIER": tier,
        "GATE_REMAINING": remaining,
        "GATE_EXPIRES_AT": exact_instant(decision.expires_at),
    }
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _worst_budget(decision: Decision) -> tuple[str, str]:
    """Return the tier of the worst budget of all, and its remaining percentage.

    For a rounded budget, it is the percentage that is certainly left.
    """
    budgets = [
        (compared_between(worst)[0], decided.judgement.tier)
        for decided in decision.policies
        if (worst := decided.judgement.worst) is not None
        and worst.compared is not None
        and not worst.uncovered
    ]
    if not budgets:
        return "", ""
    share, tier = min(budgets, key=lambda budget: budget[0])
    name = "" if tier is None else _safe(tier.name)
    return name, left(share).removesuffix("%").replace(",", "")


def _safe(name: str) -> str:
    return quote(name[:_LONGEST], safe="", errors="replace")
