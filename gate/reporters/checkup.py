"""What the doctor saw, for a terminal: what is wrong and what to do, then what was looked at."""

from collections.abc import Iterator, Sequence
from typing import Final

from gate.decision.checkup import Checkup, PolicyCheckup, SloCheckup
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
    yield from _seen("Backend", checked.backend, style)
    for slo in checked.slos:
        yield from _slo(slo, style)
    yield ""
    yield from _table(checked.symptoms, style)
    yield ""
    yield from facts([("Policy", summary.provenance(checked.source))], style)


def _word(symptoms: Sequence[Symptom]) -> str:
    found = [symptom.level for symptom in symptoms]
    counts = {level: found.count(level) for level in (Level.FAULT, Level.DOUBT)}
    words = [f"{n} {level}{'S' * (n > 1)}".upper() for level, n in counts.items() if n]
    return ", ".join(words) or "SOUND"


def _slo(checked: SloCheckup, style: Style) -> Iterator[str]:
    if checked.symptoms:
        yield from _seen(checked.slo.name, checked.symptoms, style)
        known = [("Known", caveat) for caveat in checked.caveats]
        yield from facts(known, style, GAP) if known else ()


def _seen(name: str, symptoms: Sequence[Symptom], style: Style) -> Iterator[str]:
    """Write what is wrong with an SLO, and in one line what is not."""
    yield f"{GAP}{ink.ink(plain(name), ink.BOLD, style)}"
    fine = "; ".join(one.says for one in symptoms if one.level is Level.OK and one.says)
    if fine:
        yield from _marked(Level.OK, "seen", fine, style)
    for symptom in symptoms:
        if symptom.level is not Level.OK:
            yield from _marked(symptom.level, symptom.check, symptom.says, style)
            more = [("Do", symptom.remedy), ("Looked at", symptom.looked_at)]
            yield from facts([(label, text) for label, text in more if text], style, GAP)


def _marked(level: Level, check: str, says: str, style: Style) -> Iterator[str]:
    mark, width = ink.mark(_VERDICTS[level], style), prose(style) - len(GAP)
    first, *more = hang(check, plain(says), label_width=_LABELS, width=width)
    yield f"{GAP}{mark} {first}"
    yield from (f"{GAP}{GAP}{line}" for line in more)


def _table(symptoms: Sequence[Symptom], style: Style) -> Iterator[str]:
    """Write every check that was made, whether it asks what, and how it came out."""
    rows = [(check, _result([one for one in symptoms if one.check is check])) for check in Check]
    rows = [(check, result) for check, result in rows if result]
    if not rows:
        return
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
