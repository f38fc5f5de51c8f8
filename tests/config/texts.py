"""Policy files in parts, so that a test writes only the part that it is about."""

from collections.abc import Mapping
from pathlib import Path

from gate.config.policy_contents import Contents
from gate.config.policy_schema import parse
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo

HEAD = "version: 1\nservice: chat\n"
BACKEND = 'backend: {type: prometheus, url: "http://prometheus:9090"}\n'
SLOS = """\
slos:
  - {name: availability, objective: 99.9%, window: 30d, sli: {bad: errors, total: requests}}
"""
TIERS = """\
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: exhausted, otherwise: true, allow: [security-patch, rollback]}
"""
HERE = "¦"
"""Stands in a text where the mistake is."""

SLI_KEYS = (
    "bad, bucket, cases_since, column, gauge, good, group, histogram, labels, metric, options,"
    " preset, recorded, score, series, slo, spent, threshold, total, unit"
)
"""Every key of an indicator, as mistakes list them."""


def policy(
    *,
    head: str = HEAD,
    backend: str = BACKEND,
    slos: str = SLOS,
    tiers: str = TIERS,
    more: str = "",
) -> str:
    """Return a sound policy, apart from the parts given."""
    return head + backend + slos + tiers + more


def slo(*keys: str) -> str:
    """Return the ``slos`` of one SLO named availability."""
    return "slos:\n  - name: availability\n" + "".join(f"    {key}\n" for key in keys)


def read(
    text: str,
    environ: Mapping[str, str] | None = None,
    *,
    offline: bool = False,
    folder: Path = Path(),
) -> tuple[Contents | None, list[str]]:
    """Return what a policy says, and its mistakes as they are printed."""
    imports = Imports(tree=Folder(folder))
    reader = Reader(
        file=str(folder / "gate.yaml"), environ=environ or {}, imports=imports, offline=offline
    )
    contents, mistakes = parse(text.encode(), reader)
    return contents, [str(mistake) for mistake in mistakes]


def sound(text: str, environ: Mapping[str, str] | None = None) -> Policy:
    """Return what a policy says that has no mistake and no warning."""
    contents, mistakes = read(text, environ)
    assert mistakes == []
    assert contents is not None
    return contents.policy


def only_ratio(*keys: str, backend: str = BACKEND) -> RatioSlo:
    """Return the one SLO of a policy whose ``slos`` are `slo` of these keys."""
    (one,) = sound(policy(slos=slo(*keys), backend=backend)).slos
    assert isinstance(one, RatioSlo)
    return one


def places(marked: str) -> tuple[str, list[str]]:
    """Return the text without its marks, and where each of them stands: ``gate.yaml:line:column``.

    Lines and columns count from 1, as in compilers' messages (GNU Coding Standards, 4.4).
    """
    before, found = "", []
    *marks, rest = marked.split(HERE)
    for piece in marks:
        before += piece
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        found.append(f"gate.yaml:{line}:{column}")
    return before + rest, found


def assert_mistake(
    marked: str, message: str, environ: Mapping[str, str] | None = None, *, offline: bool = False
) -> None:
    """Assert that a policy has one error: this one, where the mark stands."""
    text, (where,) = places(marked)
    contents, mistakes = read(text, environ, offline=offline)
    if offline:  # a variable that is not set is a warning then
        mistakes = [mistake for mistake in mistakes if ": warning: " not in mistake]
    assert mistakes == [f"{where}: error: {message}"]
    assert contents is None


def assert_warning(marked: str, message: str) -> None:
    """Assert that a policy is read and has one warning: this one, where the mark stands."""
    text, (where,) = places(marked)
    contents, mistakes = read(text)
    assert mistakes == [f"{where}: warning: {message}"]
    assert contents is not None
