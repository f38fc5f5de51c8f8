"""What the doctor saw, for a terminal: what is wrong and what to do, then what was looked at."""

from collections.abc import Iterator, Sequence
from typing import Final

from gate import wording
from gate.analysis.doctor.result import Checkup, PolicyCheckup
from gate.measure.diagnosis import QUESTIONS, Check, CheckResult, Level, worst
from gate.policy.findings import Verdict
from gate.reporters import ink, summary
from gate.reporters.escape import plain
from gate.reporters.layout import GAP, hang, pad, text_width
from gate.reporters.prose import facts, finish, prose
from gate.reporters.style import Style

_VERDICTS: Final = {
    Level.OK: Verdict.ALLOW,
    Level.DOUBT: Verdict.WARN,
    Level.FAULT: Verdict.BLOCK,
}
"""Whose signs and colours each level has."""


_LABELS: Final = 13
"""Columns of the labels, as in every report."""


_WIDEST: Final = 32
"""Columns that the names of SLOs may take in common."""


_LONGEST: Final = 240
"""Characters of a query."""


def render_checkup(checkup: Checkup, style: Style) -> str:
    """Return the report on what the doctor saw."""
    lines: list[str] = []
    for policy in checkup.policies:
        lines += [*_policy(policy, style), ""]
    at = wording.exact_instant(checkup.evaluated_at)
    lines += facts([("Evaluated", at), ("By", f"gate {checkup.tool_version}")], style)
    return finish(lines, style)


def _policy(checked: PolicyCheckup, style: Style) -> Iterator[str]:
    word, level = _word(checked.symptoms), worst(checked.symptoms)
    badge = ink.badge(_VERDICTS[level], word, style)
    yield f"{badge}{GAP}{ink.ink(plain(checked.policy.service), ink.BOLD, style)}"
    yield ""
    examined = [("Backend", checked.backend), *((s.slo.name, s.symptoms) for s in checked.slos)]
    width = min(max(_LABELS, *(text_width(plain(name)) for name, _ in examined)), _WIDEST)
    for name, symptoms in examined:
        if symptoms:
            yield from _looked_at(name, symptoms, width, style)
    yield ""
    yield from _table(checked.symptoms, style)
    yield ""
    caveats = dict.fromkeys(caveat for slo in checked.slos for caveat in slo.caveats)
    known = [("Known", caveat) for caveat in caveats]
    yield from facts([*known, ("Policy", summary.provenance(checked.source))], style)


def _word(symptoms: Sequence[CheckResult]) -> str:
    found = [symptom.level for symptom in symptoms]
    counts = {level: found.count(level) for level in (Level.FAULT, Level.DOUBT)}
    words = [f"{n} {level}{'S' * (n > 1)}".upper() for level, n in counts.items() if n]
    return ", ".join(words) or "SOUND"


def _looked_at(
    name: str, symptoms: Sequence[CheckResult], width: int, style: Style
) -> Iterator[str]:
    """Write in one line what was seen, and below it what is wrong and what to do."""
    seen = "; ".join(one.says for one in symptoms if one.level is Level.OK and one.says)
    findings = [symptom for symptom in symptoms if symptom.level is not Level.OK]
    yield from _marked(worst(symptoms), name, seen, style, indent=GAP, label_width=width)
    for symptom in findings:
        says, check = symptom.says, symptom.check
        yield from _marked(symptom.level, check, says, style, indent=GAP * 2, label_width=_LABELS)
        more = [("Do", symptom.remedy), ("Looked at", _short(symptom.looked_at))]
        yield from facts([(label, text) for label, text in more if text], style, GAP * 2)
    if findings:
        yield ""


def _short(query: str) -> str:
    """Cut a query that nobody would read; the JSON report has all of it."""
    return query if len(query) <= _LONGEST else f"{query[:_LONGEST]} ..."


def _marked(
    level: Level, label: str, text: str, style: Style, *, indent: str, label_width: int
) -> Iterator[str]:
    """Write a labelled text behind a level's sign."""
    mark, width = ink.mark(_VERDICTS[level], style), prose(style) - len(indent)
    size = max(label_width, text_width(plain(label)))
    first, *more = hang(plain(label), plain(text), label_width=size, width=width)
    yield f"{indent}{mark} {ink.ink(first[:size], ink.BOLD, style)}{first[size:]}".rstrip()
    yield from (f"{indent}{GAP}{line}" for line in more)


def _table(symptoms: Sequence[CheckResult], style: Style) -> Iterator[str]:
    """Write every check that was made, whether it asks what, and how it came out."""
    rows = [(check, _result([one for one in symptoms if one.check is check])) for check in Check]
    rows = [(check, result) for check, result in rows if result]
    head = ("Checked", "Whether", "Result")
    widths = [
        max(map(text_width, [head[0], *(check for check, _ in rows)])),
        max(map(text_width, [head[1], *(QUESTIONS[check] for check, _ in rows)])),
    ]
    rule = "─" if style.unicode else "-"
    last = max(map(text_width, [head[2], *(result for _, result in rows)]))
    lines = [
        GAP.join((*map(pad, head[:2], widths), head[2])),
        GAP.join(rule * size for size in (*widths, last)),
        *(GAP.join((*map(pad, (c, QUESTIONS[c]), widths), result)) for c, result in rows),
    ]
    yield from (f"{GAP}{ink.ink(line, ink.DIM, style)}" for line in lines[:2])
    yield from (f"{GAP}{line}" for line in lines[2:])


def _result(symptoms: Sequence[CheckResult]) -> str:
    found = [symptom.level for symptom in symptoms]
    counts = {level: found.count(level) for level in reversed(Level)}
    if set(found) == {Level.OK}:
        return "ok"
    return ", ".join(f"{n} {level}" for level, n in counts.items() if n)
