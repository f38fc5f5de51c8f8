"""Inspect's logs of evaluations, written with ``--log-format json``.

Source: ``EvalLog`` of inspect_ai, and files of 0.3.285.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.dataclass import dataclass
from gate.evaluations import CaseOutcome, CaseRow, EvaluationRun
from gate.evaluations.documents import (
    Flaws,
    ResultsQuery,
    agreed_commit,
    by_score,
    commits_in,
    earliest,
    few_of,
    identity,
    instant_of,
    score_of,
    worst,
)
from gate.evaluations.values import count, exact, mapping, sequence

_VERSION: Final = 2
_GRADES: Final = {"C": Fraction(1), "P": Fraction(1, 2), "I": Fraction(0), "N": Fraction(0)}
"""Correct, partially correct, incorrect, no answer: ``value_to_float`` of inspect_ai."""
_CLOCK: Final = timedelta(minutes=1)
_TOLERANCE: Final = Fraction(1, 10**9)


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


def is_document(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a log, or the header of one."""
    return {"version", "status", "eval"} <= document.keys() and "dataset" in mapping(
        document["eval"]
    )


def read(document: Mapping[str, Any], query: ResultsQuery) -> EvaluationRun:
    """Return the run in a log that is one JSON document."""
    return read_log(document, sequence(document.get("samples")), query, Flaws())


def read_log(
    header: Mapping[str, Any], samples: Iterable[Any], query: ResultsQuery, flaws: Flaws
) -> EvaluationRun:
    """Return the run in the header and the samples of a log."""
    collected = SampleRows(query, header, flaws)
    for sample in samples:
        collected.add(mapping(sample))
    spec = mapping(header.get("eval"))
    epochs = count(mapping(spec.get("config")).get("epochs")) or 1
    _check_finished(header, flaws)
    rows = (*collected.rows, *_missing(spec, collected.rows, flaws))
    _check_counts(header, collected, len(rows), epochs, flaws)
    stats = mapping(header.get("stats"))
    started_at, zoned = earliest([spec.get("created"), stats.get("started_at")], flaws)
    if started_at is not None and collected.times:
        # Samples of an earlier, repeated try are older than the run.
        if max(collected.times) < started_at - _CLOCK:
            flaws.add("all its samples are older than the run")
        started_at = min(started_at, *collected.times).astimezone(UTC)
    commit, note = _commit(header, spec, flaws)
    return EvaluationRun(
        tool="inspect",
        file_name=query.file_name,
        rows=rows,
        repeats=epochs,
        started_at=started_at,
        zoned=zoned,
        commit=commit,
        commit_note=note,
        flaws=flaws.clauses(),
        metrics=tuple(sorted(collected.scorers)),
    )


def _check_finished(header: Mapping[str, Any], flaws: Flaws) -> None:
    if header.get("version") != _VERSION:
        version = header.get("version")
        flaws.add(f"its version is {version!r:.20}, and only {_VERSION} is supported")
    if header.get("status") != "success":
        flaws.add(f"the run is not finished: its status is {header.get('status')!r:.20}")
    if header.get("error"):
        flaws.add("the run ended with an error")
    if header.get("invalidated"):
        flaws.add("the log was invalidated")
    results = mapping(header.get("results"))
    if not results:
        flaws.add("it has no results")
    if results.get("early_stopping"):
        flaws.add("the run was stopped early")


def _missing(spec: Mapping[str, Any], rows: Sequence[CaseRow], flaws: Flaws) -> Iterator[CaseRow]:
    """Yield the samples that the log announces but lacks; note a partial run of the data set."""
    dataset = mapping(spec.get("dataset"))
    announced = [identity(str(each)) for each in sequence(dataset.get("sample_ids"))]
    whole = count(dataset.get("samples"))
    if whole is None or not announced:
        flaws.add("it does not say which samples the data set has")
    elif len(set(announced)) < whole:
        flaws.add(f"only {len(set(announced))} of {whole} samples of the data set were evaluated")
    present = {row.case_id for row in rows}
    if not present <= set(announced):
        flaws.add("it has samples that it does not announce")
    for case_id in sorted(set(announced) - present, key=str):
        yield CaseRow(case_id=case_id, outcome=CaseOutcome.MISSING)


def _check_counts(
    header: Mapping[str, Any], collected: SampleRows, rows: int, epochs: int, flaws: Flaws
) -> None:
    results = mapping(header.get("results"))
    samples = len(collected.rows)
    finished = samples - collected.errors
    total, completed = (results.get(f"{each}_samples") for each in ("total", "completed"))
    # With score_on_error, Inspect counts a sample with an error and a score as completed.
    if results and (
        count(total) != samples or count(completed) not in {finished, collected.scored}
    ):
        flaws.add(
            f"it counts {completed!s:.20} of {total!s:.20} samples as completed, and has"
            f" {finished} of {samples}"
        )
    if not rows:
        flaws.add("it has no samples")
    if epochs == 1 and collected.scored <= finished:
        _check_accuracy(results, collected, flaws)


def _check_accuracy(results: Mapping[str, Any], collected: SampleRows, flaws: Flaws) -> None:
    """Note an accuracy of the scorer that contradicts the samples."""
    scores = [row.score for row in collected.rows if row.score is not None]
    metrics = [
        mapping(score.get("metrics"))
        for score in map(mapping, sequence(results.get("scores")))
        if [score.get("name"), score.get("scorer")] == 2 * list(collected.chosen)
    ]
    for metric in metrics:
        accuracy = exact(mapping(metric.get("accuracy")).get("value"))
        mean = sum(scores, Fraction()) / max(1, len(scores))
        if accuracy is not None and abs(accuracy - mean) > _TOLERANCE:
            flaws.add("its accuracy is not that of its samples")


def _commit(
    header: Mapping[str, Any], spec: Mapping[str, Any], flaws: Flaws
) -> tuple[str | None, str | None]:
    revision = mapping(spec.get("revision"))
    labels = [*commits_in(header.get("metadata")), *commits_in(spec.get("metadata"))]
    commit = agreed_commit([revision.get("commit"), *labels], flaws)
    if revision and revision.get("dirty") is not False:
        return None, (
            "the checkout had changes that were not committed (files that git does not ignore"
            " count, such as logs/)"
        )
    return commit, None
