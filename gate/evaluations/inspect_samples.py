"""The samples of Inspect's logs, read in turn, since a log may be large."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from gate.dataclass import dataclass
from gate.evaluations import CaseOutcome, CaseRow
from gate.evaluations.documents import (
    Flaws,
    ResultsQuery,
    by_score,
    few_of,
    identity,
    instant_of,
    score_of,
    worst,
)
from gate.evaluations.values import count, mapping

_GRADES: Final = {"C": Fraction(1), "P": Fraction(1, 2), "I": Fraction(0), "N": Fraction(0)}
"""Correct, partially correct, incorrect, no answer: ``value_to_float`` of inspect_ai."""


@dataclass(slots=True)
class SampleRows:
    """The rows of samples, which are read one after another, since a log may be large."""

    query: ResultsQuery
    header: Mapping[str, Any]
    flaws: Flaws
    rows: list[CaseRow] = field(default_factory=list)
    errors: int = 0
    scored: int = 0
    scorers: set[str] = field(default_factory=set)
    chosen: set[str] = field(default_factory=set)
    """The scorers that counted; empty if all did."""
    times: list[datetime] = field(default_factory=list)
    seen: set[tuple[str | None, int | None]] = field(default_factory=set)

    def add(self, sample: Mapping[str, Any]) -> None:
        """Add the next sample."""
        number = sample.get("id")
        case_id = identity(str(number) if isinstance(number, int | str) else None)
        if case_id is None:
            self.flaws.add("a sample has no id")
        attempt = (case_id, count(sample.get("epoch")))
        if attempt in self.seen:
            self.flaws.add("it has two samples of the same id and epoch", case_id)
        self.seen.add(attempt)
        if sample.get("invalidation"):
            self.flaws.add("a sample was invalidated", case_id)
        scores = _values(mapping(sample.get("scores")))
        self.scorers |= scores.keys()
        times = [instant_of(sample.get(name)) for name in ("started_at", "completed_at")]
        self.times += [time for time in times if time is not None]
        self.errors += bool(sample.get("error"))
        self.scored += bool(scores)
        self.rows.append(self._row(sample, scores, case_id))

    def _row(
        self, sample: Mapping[str, Any], scores: Mapping[str, Any], case_id: str | None
    ) -> CaseRow:
        if sample.get("error"):
            return CaseRow(case_id=case_id, outcome=CaseOutcome.ERRORED)
        metric = self._metric(scores)
        if metric is not None and metric not in scores:
            others = few_of(sorted(scores))
            self.flaws.add(f"samples lack the scorer {metric!r}, and have {others}", case_id)
            return CaseRow(case_id=case_id, outcome=CaseOutcome.UNSCORED)
        named = case_id or "without an id"
        chosen = list(scores) if metric is None else [metric]
        self.chosen |= set(chosen)
        values = [self._grade(scores[scorer], named) for scorer in chosen]
        outcome = worst(
            [
                self._outcome(scores[scorer], value, named)
                for scorer, value in zip(chosen, values, strict=True)
            ]
        )
        if outcome is CaseOutcome.PASSED and sample.get("error_retries"):
            outcome = CaseOutcome.FLAKY
        score = values[0] if len(values) == 1 else None
        return CaseRow(case_id=case_id, outcome=outcome, score=score)

    def _metric(self, scores: Mapping[str, Any]) -> str | None:
        """Return the scorer that counts; with one scorer, the name of the task means it, too.

        A scorer may have several values, each with a name.
        """
        name = self.query.metric
        if name is None or name in scores:
            return name
        alike = [
            scorer
            for scorer in scores
            if name.casefold() in {scorer.casefold(), scorer.rpartition("/")[2].casefold()}
        ]
        if len(alike) == 1:
            return alike[0]
        is_task = mapping(self.header.get("eval")).get("task") == name
        return next(iter(scores)) if is_task and len(scores) == 1 else name

    def _outcome(self, grade: Any, value: Fraction | None, case_id: str) -> CaseOutcome:
        if grade == "P" and self.query.score is None:
            return CaseOutcome.FAILED  # a partial credit does not need a threshold to be one
        return by_score(value, self.query, self.flaws, case_id)

    def _grade(self, value: Any, case_id: str) -> Fraction | None:
        if isinstance(value, bool):
            return Fraction(value)
        if isinstance(value, str) and value in _GRADES:
            return _GRADES[value]
        return score_of(value, self.flaws, case_id)


def _values(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each scorer; several values of one are named ``scorer/name``."""
    values: dict[str, Any] = {}
    for scorer, score in scores.items():
        value = mapping(score).get("value")
        if isinstance(value, dict):
            values |= {f"{scorer}/{name}": part for name, part in value.items()}
        else:
            values[scorer] = value
    return values
