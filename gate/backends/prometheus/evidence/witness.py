"""The contract of a witness, which searches for one kind of doubt about a count."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.gathered import PartAnswers
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryResult, QueryResults
from gate.dataclass import dataclass
from gate.measure import Suspicion
from gate.promql.moving import SECOND
from gate.promql.selectors import PLAIN_NAME, quote
from gate.slo.objective import Span

_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAnswers(PartAnswers):
    """The readings, as one witness receives them, and the counts."""

    readings: QueryResults
    total: Fraction = Fraction()
    """The events (or slices) in the window; for an allowance 0."""
    bad: Fraction = Fraction()
    """The bad ones of them; for an allowance the amount spent."""

    def reading(self, part: Query) -> QueryResult:
        """Return the reading of a part, even if it is an error."""
        return self.readings(part)


class Witness(ABC):
    """Searches for one kind of doubt: its queries beside the counts, and its judgement."""

    @abstractmethod
    def first_round(self) -> tuple[Query, ...]:
        """Return the queries that are sent with the counts, and that every judgement needs."""

    def put_off(self) -> tuple[Query, ...]:
        """Return the further queries that some judgements need.

        They are sent with the counts, too, if that takes no more time, else in a further round.
        """
        return ()

    @abstractmethod
    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Return the queries that follow from a suspicion in the first answers.

        Raises:
            MeasurementError: the server did not answer the first questions.
        """

    @abstractmethod
    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield the reasons to doubt the count; none: the count is not in doubt.

        Raises:
            MeasurementError: the server did not answer a question.
        """


def now_query(text: str, label: str | None = None) -> Query:
    """Return the query for the current value."""
    return Query(pieces=(text,), length=timedelta(), label=label)


def window_query(text: str, span: Span, label: str | None = None) -> Query:
    """Return the query for a value over a whole window, written as ``$window``."""
    length = span.length // SECOND * SECOND
    return Query(pieces=tuple(text.split("$window")), length=length, label=label)


def label_text(label: str) -> str:
    """Write the name of a label for ``by (...)``."""
    return label if PLAIN_NAME.fullmatch(label) else quote(label)


def instant_of(seconds: Fraction) -> datetime:
    """Return the instant of a Unix time."""
    return _EPOCH + timedelta(seconds=float(seconds))
