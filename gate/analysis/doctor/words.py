"""The report of the doctor: sentences, cells and the page."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from gate.analysis.doctor import Checkup, PolicyCheckup, checkup_document
from gate.measure.diagnosis import QUESTIONS, Check, CheckResult, Level, worst_level
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.page import (
    MUST,
    Badge,
    Column,
    Facts,
    Mark,
    Marks,
    Output,
    Page,
    Section,
    said,
    tabulate,
)

_VERDICTS: Final = {
    Level.OK: Verdict.ALLOW,
    Level.DOUBT: Verdict.WARN,
    Level.FAULT: Verdict.BLOCK,
}
"""The verdicts whose signs and colours the levels have."""
_WITHOUT_ANSWERS: Final = {Check.REACH, Check.COUNTED, Check.PARTIAL, Check.SYNTHETIC}
"""The checks of an SLO with a result even if the backend did not answer."""
_LONGEST: Final = 240
"""The maximum number of characters of a query."""


def output(checkup: Checkup) -> Output:
    """Return the checkup in the form that every format is written from."""
    return Output(page=partial(page, checkup), document=partial(checkup_document, checkup))


def page(checkup: Checkup) -> Page:
    """Return the page on every policy: problems and remedies first, then the examined queries."""
    return Page(
        sections=tuple(map(_section, checkup.policies)),
        closing=(summary.signature(checkup.evaluated_at, checkup.tool_version),),
    )


def _section(checked: PolicyCheckup) -> Section:
    examined = list(_examined(checked))
    caveats = dict.fromkeys(caveat for slo in checked.slos for caveat in slo.caveats)
    reached = _reached(checked)
    return Section(
        title=checked.policy.service,
        badge=_badge(checked.results),
        blocks=(
            Marks(tuple(_seen(name, results) for name, results in examined if results)),
            tabulate(_results(checked), _COLUMNS),
            *said(Facts(tuple(_not_seen(checked)) if reached else ())),
            *said(Facts(tuple(("Known", caveat) for caveat in caveats if reached))),
            summary.policy_text(checked.policy, checked.source),
        ),
    )


def _examined(checked: PolicyCheckup) -> Iterator[tuple[str, Sequence[CheckResult]]]:
    """Yield the results for each backend, and then for each SLO that it counts."""
    for backend, results in checked.backends.items():
        own = [slo for slo in checked.slos if slo.slo.sli.backend == backend]
        if own or results:
            label = f"Backend {backend} ({checked.kind_of(backend)})" if backend else "Backend"
            yield label, results
        yield from ((slo.slo.name, slo.results) for slo in own)
    for slo in checked.slos:  # for a backend without any other check
        if slo.slo.sli.backend not in checked.backends:
            yield slo.slo.name, slo.results


def _reached(checked: PolicyCheckup) -> bool:
    """Return whether a backend answered; if none did, nothing else is worth reporting."""
    silent = all(
        any(r.check is Check.REACH and r.level is Level.FAULT for r in results)
        for results in checked.backends.values()
    )
    return not silent or any(
        result.check not in _WITHOUT_ANSWERS for slo in checked.slos for result in slo.results
    )


def _badge(results: Sequence[CheckResult]) -> Badge:
    levels = [result.level for result in results]
    counts = {level: levels.count(level) for level in (Level.FAULT, Level.DOUBT)}
    words = [_number(n, level).upper() for level, n in counts.items() if n]
    return Badge(_VERDICTS[worst_level(results)], ", ".join(words) or "SOUND")


def _number(n: int, level: Level) -> str:
    return f"{n} {level}{'s' * (n > 1 and level is not Level.OK)}"


def _seen(name: str, results: Sequence[CheckResult]) -> Mark:
    """Return the results for the backend or an SLO, the problems and their remedies."""
    fine = (result.message for result in results if result.level is Level.OK)
    return Mark(
        verdict=_VERDICTS[worst_level(results)],
        label=name,
        text="; ".join(filter(None, fine)),
        marks=tuple(_wrong(result) for result in results if result.level is not Level.OK),
    )


def _wrong(result: CheckResult) -> Mark:
    facts = (("Do", result.remedy), ("Examined", _short(result.examined)))
    return Mark(
        verdict=_VERDICTS[result.level],
        label=result.check,
        text=result.message,
        facts=tuple((label, text) for label, text in facts if text),
    )


def _short(query: str) -> str:
    """Cut a very long query; the document has all of it."""
    return query if len(query) <= _LONGEST else f"{query[:_LONGEST]} ..."


def _results(checked: PolicyCheckup) -> Iterator[tuple[Check, str]]:
    """Yield every check that applies with its result, or with the reason why it was skipped."""
    for check in Check:
        levels = [result.level for result in checked.results if result.check is check]
        counts = {level: levels.count(level) for level in reversed(Level)}
        words = [_number(n, level) for level, n in counts.items() if n]
        if set(levels) == {Level.OK}:
            words = ["ok"]
        skipped = [s for slo in checked.slos for s in slo.skipped if s.check is check]
        if unseen := sum(skip.applies for skip in skipped):
            words.append(f"{unseen} not checked")
        if words:
            yield check, ", ".join(words)


def _not_seen(checked: PolicyCheckup) -> Iterator[tuple[str, str]]:
    """Yield the skipped checks of each SLO, and facts that no check sees."""
    for slo in checked.slos:
        reasons = dict[str, list[str]]()
        for skip in slo.skipped:
            if skip.applies:
                reasons.setdefault(skip.reason, []).append(skip.check)
        for reason, checks in reasons.items():
            yield "Not checked", f"{slo.slo.name}: {', '.join(checks)}: {reason}"
    made = {result.check for result in checked.results}
    made |= {skip.check for slo in checked.slos for skip in slo.skipped if skip.applies}
    others = [check for check in Check if check not in made and check is not Check.REACH]
    yield "Not applicable", ", ".join(others)
    limits = (
        limit
        for name, results in checked.backends.items()
        for limit in _NEVER.get(checked.kind_of(name), ())
        if _SEEN_BY.get(limit) not in {result.check for result in results}
    )
    yield from (("Not checked", limit) for limit in dict.fromkeys(limits))


_WITHOUT_ID: Final = "requests that are logged twice without an id"
_NEVER: Final = {
    "prometheus": (
        "gaps shorter than the step (5 minutes of a day, an hour of 30 days)",
        "duplicates that neither labels nor values show",
        "how long a server keeps data that does not say it",
    ),
    "logs": (
        "rows that were never written, of fewer than are usual in an hour",
        _WITHOUT_ID,
    ),
    "elastic": ("whether the API key may do more than read SLOs",),
    "static": ("whether the written counts are true",),
}
"""Facts that no check of this command can see, by the type of the backend."""
_SEEN_BY: Final = {_WITHOUT_ID: Check.REPEATS}
"""The check that sees such a fact after all, if the backend supports it."""
_COLUMNS: Final[tuple[Column[tuple[Check, str]], ...]] = (
    Column(title="Checked", cell=lambda row: row[0], right=False, keep=MUST),
    Column(title="Whether", cell=lambda row: QUESTIONS[row[0]], right=False, keep=MUST),
    Column(title="Result", cell=lambda row: row[1], right=False, keep=MUST),
)
"""The columns in the order of reading."""
