"""Counting long windows by the recording rules of ``gate export``, where the server has them.

They are used only if they recorded this very expression in all of the window.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from gate.backends.prometheus.part import SECOND, Part, Role
from gate.backends.prometheus.reading import Fault, Readings
from gate.promql.expression import Expression
from gate.promql.matchers import matchers
from gate.promql.recording import EVERY, FINGERPRINT, SLICE, events, fingerprint, rule_expressions
from gate.slo.measurement import CountRequest

_SHORTEST: Final = timedelta(days=1)
"""Of a window that is counted so: of the newest `SLICE` not all is counted yet."""
_MAY_MISS: Final = SLICE // EVERY
"""So many evaluations may be missing: an event that all of them would have had is lost."""
_USED: Final = (
    "counted by its recording rules, which agree with the raw query within about 1 %, or 10 % where"
    " fewer than a hundred events failed; an event counts in full when it is 5 minutes old"
)
_NAMES: Final = '__name__=~"gate:sli_(total|good|bad|spent):increase5m"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What to ask instead of the indicator's own expressions; no parts: nothing."""

    parts: Mapping[Role, Part] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def rule_questions(request: CountRequest) -> Iterator[Part]:
    """Yield the question for what rules of the SLO have recorded, for windows worth it."""
    if request.rule_labels and request.slices is None and request.span.length >= _SHORTEST:
        selector = f"{{{_NAMES},{matchers(request.rule_labels)}}}"
        yield Part(
            pieces=(f"sum by ({FINGERPRINT}) (count_over_time({selector}[", "]))"),
            length=request.span.length // SECOND * SECOND,
            label=FINGERPRINT,
        )


def use_rules(
    expressions: Mapping[Role, Expression],
    lacking: tuple[str, ...],
    request: CountRequest,
    readings: Readings,
) -> Recorded:
    """Return the parts that ask what was recorded, if that is the same and all of it."""
    question = next(rule_questions(request), None)
    found = None if question is None else readings(question)
    if found is None or isinstance(found, Fault) or found.warnings or not found.numbers:
        return Recorded()
    texts = rule_expressions({str(role): one for role, one in expressions.items()}, lacking)
    samples = [found.numbers.get(fingerprint(text)) for text in texts.values()]
    known = [count for count in samples if count is not None]
    if not texts or len(known) < len(samples):
        note = "the recording rules of this SLO are of another expression: export them anew"
        return Recorded(notes=(note,))
    expected = request.span.length // EVERY
    if not all(expected - _MAY_MISS <= count <= expected + 1 for count in known):
        had = f"{float(min(known)):,.0f} of {expected:,}"
        note = f"its recording rules have {had} samples of this window, so they were not used"
        return Recorded(notes=(note,))
    length, labels = request.span.length // SECOND * SECOND, request.rule_labels or {}
    parts = {
        role: Part(pieces=events(role, texts[role], labels), length=length) for role in expressions
    }
    return Recorded(parts=parts, notes=(_USED,))
