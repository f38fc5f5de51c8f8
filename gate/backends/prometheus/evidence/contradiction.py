"""Failures that the total shows by its own labels, and that nothing counts as bad."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.roles import JudgedSelector
from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness, now_query
from gate.backends.prometheus.label_values import FAILING
from gate.backends.prometheus.query import SECOND, Query
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.promql.selectors import LabelMatcher, Selector, quote

STATUS: Final = (
    *("status", "status_code", "statuscode", "statusCode", "status_class", "code", "code_class"),
    *("http_status", "http_status_code", "http_code", "http_response_status_code"),
    *("response_code", "response_code_class", "response_status", "grpc_code", "grpc_status"),
    *("rpc_grpc_status_code", "envoy_response_code", "outcome", "result", "error_code"),
    *("error_type", "exception_status", "finished_reason", "finish_reason"),
)
"""Labels that say how an event ended, as servers and their clients name them."""
_ABOUT_FAILURES: Final = (
    r"(?i)err|fail|fault|exception|5[0-9x.]{2}|time.?out|unavailable|crash|abort|panic|internal"
)
_PLACES: Final = 4
"""At so many instants of the window it is looked at which values there are."""
_JOINED: Final = "gate_joined"
_SHOWN: Final = "gate_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContradictionWitness(Witness):
    """Of all bad events together."""

    whole: Whole
    counted: Query
    """What is asked for the number of bad events."""

    def first_round(self) -> tuple[Query, ...]:
        """Ask which values that say failure the total's series have, at some instants."""
        return tuple(map(self._values, self.whole.expression.selectors))

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Ask how many such failures there were."""
        return tuple(
            self._failures(selector, values)
            for selector in self.whole.expression.selectors
            if (values := self._seen(selector, answers))
        )

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield a doubt where less than half of them were counted."""
        bad = answers.amount(self.counted)
        for selector in self.whole.expression.selectors:
            values = self._seen(selector, answers)
            failures = answers.amount(self._failures(selector, values)) if values else bad
            if failures > 2 * bad:
                yield Suspicion(
                    cause=Cause.CONTRADICTED,
                    reason=(
                        f"bad: {float(bad):,.0f} are counted, though {selector} itself shows"
                        f" {float(failures):,.0f} failures ({', '.join(values)})"
                    ),
                    remedy=(
                        "see that what counts the failures is exported, or count them by that label"
                        " of the total"
                    ),
                    hidden=failures - bad,
                )

    def corroborates(self, answers: EvidenceAnswers) -> bool:
        """Return whether the total shows the failures that were counted, and no more.

        Raises:
            MeasurementError: the server did not answer.
        """
        failures = sum(map(answers.amount, self.second_round(answers)), Fraction())
        counted = answers.amount(self.counted)
        return 0 < failures <= 2 * counted and counted <= 2 * failures

    def _seen(self, selector: str, answers: EvidenceAnswers) -> list[str]:
        return sorted(filter(None, answers.table(self._values(selector))))

    def _values(self, selector: str) -> Query:
        length = self.whole.span.length // SECOND
        ago = [length * place // _PLACES for place in range(1, _PLACES)]
        series = " or ".join((selector, *(f"{selector} offset {seconds}s" for seconds in ago)))
        labels = ",".join(map(quote, STATUS))
        joined = f'label_join({series},{quote(_JOINED)},"|",{labels})'
        pattern = quote(rf"(?:.*\|)?({FAILING})(?:\|.*)?")
        shown = f'label_replace({joined},{quote(_SHOWN)},"$1",{quote(_JOINED)},{pattern})'
        return now_query(f"count by ({_SHOWN}) ({shown})", _SHOWN)

    def _failures(self, selector: str, values: list[str]) -> Query:
        pattern = "|".join(map(re.escape, values))
        every = Selector.read(selector)
        series = " or ".join(
            f"increase({every.only((*every.matchers, matcher)).text}[$window])"
            for label in STATUS
            for matcher in (LabelMatcher(label=label, operator="=~", value=pattern),)
        )
        length = self.whole.span.length // SECOND * SECOND
        pieces = tuple(f"sum({series})".split("$window"))
        return Query(pieces=pieces, length=length, grain=SECOND)


def may_contradict(judged: list[JudgedSelector]) -> bool:
    """Return whether the total can speak against the count of bad events.

    Not where they are chosen from the total's series by such a label, which says that the others
    are not bad; nor where they are no failures, but slow, unsafe or wrong answers.
    """
    decided = any(
        wanted.label in STATUS
        for selector in judged
        if not selector.own_metric
        for wanted in selector.filters
    )
    texts = [selector.selector.text for selector in judged]
    return not decided and any(re.search(_ABOUT_FAILURES, text) for text in texts)
