"""Policies and cases in parts, so that a test writes only the part that it is about."""

from textwrap import indent

from gate.analysis.cases import CaseResult
from gate.analysis.cases.run import run_cases
from gate.config.cases_schema import read_cases
from gate.config.load import PolicyFile
from gate.decision.decision import PolicySource
from gate.errors import PolicyError
from tests.config.texts import BACKEND, read

SLOS = """\
slos:
  - {name: availability, objective: 99.9%, window: 30d, sli: {bad: b, total: t}}
"""
TIERS = """\
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: caution, remaining: "> 10%", allow: [canary, rollback], warn: [bug-fix]}
  - name: exhausted
    otherwise: true
    allow: [rollback, security-patch]
    require: {security-patch: [shadow]}
claims: allowed
"""
AT = "2026-11-20T14:00:00Z"


def policy_file(more: str = "", slos: str = SLOS, backend: str = BACKEND) -> PolicyFile:
    """Return a policy as if it had been read."""
    text = f"version: 1\nservice: chat\n{backend}{slos}{TIERS}{more}"
    contents, mistakes = read(text)
    assert contents is not None, mistakes
    source = PolicySource(path="gate.yaml", sha256="0" * 64, revision=None, modified=False)
    return PolicyFile(**contents._asdict(), source=source, warnings=())


def case_text(body: str, expect: str = "{verdict: allow}", *, at: str = AT) -> str:
    """Return a file of one case; without a change of its own it is a canary."""
    change = "" if "change:" in body else "    change: canary\n"
    return (
        f"version: 1\nat: {at}\ncases:\n  - name: it\n{change}{indent(body, '    ')}"
        f"    expect: {expect}\n"
    )


def tried(
    body: str,
    expect: str = "{verdict: allow}",
    *,
    more: str = "",
    slos: str = SLOS,
    at: str = AT,
    backend: str = BACKEND,
) -> CaseResult:
    """Return how one case comes out."""
    cases = read_cases(case_text(body, expect, at=at).encode(), "gate.test.yaml", {})
    (result,) = run_cases(policy_file(more, slos, backend), cases).results
    return result


def mistakes_of(
    body: str,
    expect: str = "{verdict: allow}",
    *,
    more: str = "",
    slos: str = SLOS,
    at: str = AT,
) -> list[str]:
    """Return what is wrong with one case, without its file and line."""
    try:
        tried(body, expect, more=more, slos=slos, at=at)
    except PolicyError as error:
        return [mistake.message for mistake in error.mistakes]
    return []


def fired(result: CaseResult) -> list[tuple[str, str | None, str]]:
    """Return the rules that fire, the SLO that each is about, and what it comes to."""
    return [(str(each.rule), each.slo, str(each.verdict)) for each in result.firing]
