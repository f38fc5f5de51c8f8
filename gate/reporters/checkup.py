"""What the doctor saw, for a terminal: what is wrong and what to do, then what was looked at."""

from collections.abc import Iterator, Sequence
from typing import Final

from gate.decision.checkup import Checkup, PolicyCheckup
from gate.policy.findings import Verdict
from gate.reporters import ink, summary, values
from gate.reporters.escape import plain
from gate.reporters.layout import GAP, hang, pad, text_width
from gate.reporters.prose import facts, finish, prose
from gate.reporters.style import Style
from gate.slo.diagnosis import QUESTIONS, Check, Level, Symptom, worst

_VERDICTS: Final = {
    Level.OK: Verdict.ALLOW,
    Level.DOUBT: Verdict.WARN,
    Level.FAULT: Verdict.BLOCK,
}
"""Whose signs and colours each level has."""
_LABELS: Final = 13
_LONGEST: Final = 240


def render_checkup(checkup: Checkup, style: Style) -> str:
    """Return the report on what the doctor saw."""
    lines: list[str] = []
    for policy in checkup.policies:
        lines += [*_policy(policy, style), ""]
    at = values.exact_instant(checkup.evaluated_at)
    lines += facts([("Evaluated", at), ("By", f"gate {checkup.tool_version}")], style)
    return finish(lines, style)


def _policy(checked: PolicyCheckup, style: Style) -> Iterator[str]:
    word, level = _word(checked.symptoms), worst(checked.symptoms)
    badge = ink.badge(_VERDICTS[level], word, style)
    yield f"{badge}{GAP}{ink.ink(plain(checked.policy.service), ink.BOLD, style)}"
    yield ""
    yield from _looked_at("Backend", checked.backend, (), style)
    for slo in checked.slos:
        if slo.symptoms:
            yield from _looked_at(slo.slo.name, slo.symptoms, slo.caveats, style)
    yield ""
    yield from _table(checked.symptoms, style)
    yield ""
    yield from facts([("Policy", summary.provenance(checked.source))], style)


def _word(symptoms: Sequence[Symptom]) -> str:
    found = [symptom.level for symptom in symptoms]
    counts = {level: found.count(level) for level in (Level.FAULT, Level.DOUBT)}
    words = [f"{n} {level}{'S' * (n > 1)}".upper() for level, n in counts.items() if n]
    return ", ".join(words) or "SOUND"


def _looked_at(
    name: str, symptoms: Sequence[Symptom], caveats: Sequence[str], style: Style
) -> Iterator[str]:
    """Write in one line what was seen, and below it what is wrong and what to do."""
    seen = "; ".join(one.says for one in symptoms if one.level is Level.OK and one.says)
    findings = [symptom for symptom in symptoms if symptom.level is not Level.OK]
    yield from _marked(worst(symptoms), name, seen, GAP, style)
    for symptom in findings:
        yield from _marked(symptom.level, symptom.check, symptom.says, GAP * 2, style)
        more = [("Do", symptom.remedy), ("Looked at", _short(symptom.looked_at))]
        yield from facts([(label, text) for label, text in more if text], style, GAP * 2)
    if caveats:
        yield from facts([("Known", caveat) for caveat in caveats], style, GAP)
    if findings:
        yield ""


def _short(query: str) -> str:
    """Cut a query that nobody would read; the JSON report has all of it."""
    return query if len(query) <= _LONGEST else f"{query[:_LONGEST]} ..."


def _marked(level: Level, label: str, text: str, indent: str, style: Style) -> Iterator[str]:
    mark, width = ink.mark(_VERDICTS[level], style), prose(style) - len(indent)
    label_width = max(_LABELS, text_width(plain(label)))
    first, *more = hang(plain(label), plain(text), label_width=label_width, width=width)
    head = ink.ink(first[:label_width], ink.BOLD, style)
    yield f"{indent}{mark} {head}{first[label_width:]}".rstrip()
    yield from (f"{indent}{GAP}{line}" for line in more)


def _table(symptoms: Sequence[Symptom], style: Style) -> Iterator[str]:
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


def _result(symptoms: Sequence[Symptom]) -> str:
    found = [symptom.level for symptom in symptoms]
    counts = {level: found.count(level) for level in reversed(Level)}
    if set(found) == {Level.OK}:
        return "ok"
    return ", ".join(f"{n} {level}" for level, n in counts.items() if n)
