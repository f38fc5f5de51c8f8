"""Failures that the total shows by its own labels, and that the bad events lack."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.roles import FAILING, JudgedSelector
from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness, now_query
from gate.backends.prometheus.query import Query
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.promql.moving import SECOND, window_text
from gate.promql.selectors import quote

STATUS: Final = (
    *("status", "status_code", "statuscode", "statusCode", "status_class", "code", "code_class"),
    *("http_status", "http_status_code", "http_code", "http_response_status_code"),
    *("response_code", "response_code_class", "response_status", "grpc_code", "grpc_status"),
    *("rpc_grpc_status_code", "envoy_response_code", "outcome", "result", "error_code"),
    *("error_type", "exception_status", "finished_reason", "finish_reason"),
)
"""Labels with the outcome of an event, as servers and their clients name them."""
_ABOUT_FAILURES: Final = (
    r"(?i)err|fail|fault|exception|5[0-9x.]{2}|time.?out|unavailable|crash|abort|panic|internal"
)
_PLACES: Final = 4
"""The number of instants of the window at which the values to show are requested."""
_TARGET: Final = "instance"
_PART: Final = "gate_counter"
_NAMED: Final = 3
"""The most targets named in a sentence."""
_FEW: Final = 10
"""The fewest failures: by chance less than half of a target's are counted once in 10^3 times."""
_SMALL: Final = Fraction(1, 50)
"""The share of failures by which two counters of the same events may differ."""
_JOINED: Final = "gate_joined"
_SHOWN: Final = "gate_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContradictionWitness(Witness):
    """The part of all bad events together."""

    whole: Whole
    counted: Query
    """The query for the number of bad events."""
    counters: tuple[str, ...] = ()
    """The selectors of another metric whose increases these are; empty: they are not increases."""

    def first_round(self) -> tuple[Query, ...]:
        """Request the number of events in the total whose own labels show a failure."""
        return tuple(map(self._failures, self.whole.expression.selectors))

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Request the values that show it, if less than half of these failures were counted.

        If more were counted, but by far not all, some targets may lack the bad counter.
        """
        lacking = (self._lacking(text) for text in self._exceeding(answers))
        return (*map(self._values, self._contradicting(answers)), *lacking)

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield a doubt if less than half of them were counted."""
        bad = answers.amount(self.counted)
        for selector in self._contradicting(answers):
            failures = answers.amount(self._failures(selector))
            values = sorted(filter(None, answers.table(self._values(selector))))
            listed = f" ({', '.join(values)})" if values else ""
            yield Suspicion(
                cause=Cause.CONTRADICTED,
                reason=(
                    f"bad: {float(bad):,.0f} are counted, though {selector} itself shows"
                    f" {float(failures):,.0f} failures{listed}"
                ),
                remedy=(
                    "see that what counts the failures is exported, or count them by that label"
                    " of the total"
                ),
                hidden=failures - bad,
            )

        for selector in self._exceeding(answers):
            targets = answers.table(self._lacking(selector))
            if targets:
                hidden = sum(targets.values(), Fraction())
                yield self._of_targets(selector, sorted(targets), hidden)

    def _of_targets(self, selector: str, targets: list[str], hidden: Fraction) -> Suspicion:
        some = ", ".join(targets[:_NAMED]) + (", ..." if len(targets) > _NAMED else "")
        return Suspicion(
            cause=Cause.CONTRADICTED,
            reason=(
                f"bad: of {len(targets):,} {'target' if len(targets) == 1 else 'targets'} ({some})"
                f" {float(hidden):,.0f} failures are not counted that {selector} itself shows,"
                " though those of others are"
            ),
            remedy=(
                "see that every instance exports what counts the failures, or count them by that"
                " label of the total"
            ),
            hidden=hidden,
        )

    def corroborates(self, answers: EvidenceAnswers) -> bool:
        """Return whether the total shows the counted failures, and no more.

        Raises:
            MeasurementError: the server did not answer.
        """
        failures = sum(map(answers.amount, self.first_round()), Fraction())
        counted = answers.amount(self.counted)
        return 0 < failures <= 2 * counted and counted <= 2 * failures

    def _contradicting(self, answers: EvidenceAnswers) -> list[str]:
        bad = answers.amount(self.counted)
        selectors = self.whole.expression.selectors
        return [text for text in selectors if answers.amount(self._failures(text)) > 2 * bad]

    def _exceeding(self, answers: EvidenceAnswers) -> list[str]:
        """Return the totals that show more failures than counted, but less than twice as many."""
        if not self.counters or self.whole.slices is not None:
            return []
        bad, contradicting = answers.amount(self.counted), self._contradicting(answers)
        least = bad + max(bad * _SMALL, Fraction(_FEW))
        return [
            text
            for text in self.whole.expression.selectors
            if text not in contradicting and answers.amount(self._failures(text)) > least
        ]

    def _lacking(self, selector: str) -> Query:
        """Return the query for the uncounted failures of targets that count less than half.

        It needs a target that counts as many as the total shows, so that both are about the same
        targets, and the same failures.
        """
        length = self.whole.span.length // SECOND * SECOND
        window = window_text(length)
        shown = self._shown_failures(selector).replace("$window", window)
        by = f"sum by ({_TARGET})"
        series = " or ".join(
            f'label_replace(increase({text}[{window}]),"{_PART}","{place}","","")'
            for place, text in enumerate(self.counters)
        )
        counted = f"{by} ({series})"
        uncounted = f'{by} (({shown}) or label_replace(-1 * ({series}),"{_PART}s","-","",""))'
        alike = f"count(abs({uncounted}) < {counted})"
        many = f"({uncounted} > {_FEW})"
        text = f"(({many} > {counted}) or ({many} unless {counted})) and on () ({alike})"
        return now_query(text, _TARGET)

    def _values(self, selector: str) -> Query:
        length = self.whole.span.length // SECOND
        ago = [length * place // _PLACES for place in range(1, _PLACES)]
        series = " or ".join((selector, *(f"{selector} offset {seconds}s" for seconds in ago)))
        return now_query(f"count by ({_SHOWN}) ({_shown(series)})", _SHOWN)

    def _failures(self, selector: str) -> Query:
        length = self.whole.span.length // SECOND * SECOND
        text = f"sum({self._shown_failures(selector)})"
        return Query(pieces=tuple(text.split("$window")), length=length, grain=SECOND)

    def _shown_failures(self, selector: str) -> str:
        events = _shown(_marked(f"increase({selector}[$window])"))
        return f"{events} unless on ({_SHOWN}) {_marked('vector(0)')}"


def _marked(series: str) -> str:
    """Give each series without a failure label a value of its own.

    An empty value would not do: VictoriaMetrics distinguishes it from an absent label.
    """
    return f'label_replace({series},{quote(_SHOWN)},"-","","")'


def _shown(series: str) -> str:
    """Give each series the value of its status labels that indicates a failure, if there is one."""
    labels = ",".join(map(quote, STATUS))
    joined = f'label_join({series},{quote(_JOINED)},"|",{labels})'
    pattern = quote(rf"(?:.*\|)?({FAILING})(?:\|.*)?")
    return f'label_replace({joined},{quote(_SHOWN)},"$1",{quote(_JOINED)},{pattern})'


def may_contradict(judged: list[JudgedSelector]) -> bool:
    """Return whether the total can contradict the count of bad events.

    It cannot if they are selected from the total's series by such a label, which means that the
    others are not bad; nor if they are not failures, but slow, unsafe or wrong answers.
    """
    decided = any(
        wanted.label in STATUS
        for selector in judged
        if not selector.own_metric
        for wanted in selector.filters
    )
    texts = [selector.selector.text for selector in judged]
    return not decided and any(re.search(_ABOUT_FAILURES, text) for text in texts)
