"""Workflow commands of GitHub Actions: an annotation for each problem, the worst first.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from typing import Final

from gate.decision.decision import Decision
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.ansi import Style
from gate.reporters.decision_page import Problem, problems, repository_path
from gate.reporters.escape import plain

_MOST: Final = 10
"""GitHub shows at most this many annotations of one kind from one step."""
_KINDS: Final = {Verdict.BLOCK: "error", Verdict.UNDECIDED: "error", Verdict.WARN: "warning"}


def render(decision: Decision, _style: Style) -> str:
    """Return the report on a decision: a notice if there are no problems."""
    listed = problems(decision)
    if not listed:
        return "".join(
            _command(
                "notice",
                f"allow: {summary.subject(decided)}",
                file=repository_path(decided.source, decision),
            )
            for decided in decision.policies[:_MOST]
        )
    left = len(listed) - _MOST
    lines = [
        _annotation(problem, decision) for problem in listed[: _MOST if left <= 0 else _MOST - 1]
    ]
    if left > 0:
        lines.append(_command("notice", f"{left + 1} more findings are in the report"))
    return "".join(lines)


def _annotation(problem: Problem, decision: Decision) -> str:
    kind = "notice" if decision.observe else _KINDS[problem.finding.verdict]
    word = summary.verdict_word(problem.finding.verdict, decision)
    file = repository_path(problem.decided.source, decision)
    return _command(kind, problem.text, file=file, title=f"gate: {word}")


def _command(kind: str, message: str, **properties: str) -> str:
    parameters = ",".join(f"{name}={_property(plain(text))}" for name, text in properties.items())
    return f"::{kind} {parameters}".rstrip() + f"::{_data(plain(message))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
