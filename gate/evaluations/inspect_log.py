"""Inspect's logs of evaluations, written with ``--log-format json``.

Source: ``EvalLog`` of inspect_ai, and files of 0.3.285.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.evaluations import CaseOutcome, CaseRow, EvaluationRun
from gate.evaluations.documents import (
    Flaws,
    ResultsQuery,
    agreed_commit,
    commits_in,
    earliest,
    identity,
)
from gate.evaluations.inspect_samples import SampleRows
from gate.evaluations.values import count, exact, mapping, sequence

_VERSION: Final = 2
_CLOCK: Final = timedelta(minutes=1)
_TOLERANCE: Final = Fraction(1, 10**9)


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
    flaws.check_version(header.get("version"), _VERSION)
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
