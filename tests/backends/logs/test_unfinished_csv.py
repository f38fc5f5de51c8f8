"""Only the last line of a CSV file that is being written is left out, until it is whole."""

import gzip
from fractions import Fraction
from pathlib import Path

import pytest

from gate.measure import Answer, Cause, Counts, Spent
from gate.slo.indicator import Sli
from tests.backends.logs.written import FAILED, ask, ask_all, before, counts, refused, request

HEAD = "ts,status,prompt\n"
LINES = [f'{before(9 - n)},{500 if n == 3 else 200},"a, {n}\nb"\n' for n in range(6)]
LAST = f'{before(1)},500,"what, then\nis ""this""?"'
WHOLE = HEAD + "".join(LINES)


def _note(log: Path) -> str:
    return f"the last line of {log} is not finished, and left out"


def _notes(answer: Answer) -> tuple[str, ...]:
    assert isinstance(answer, Counts | Spent), answer
    return answer.evidence.notes


@pytest.mark.variants(7)
@pytest.mark.parametrize("cut", [1, 12, len(before(1)), len(before(1)) + 3, len(LAST) - 1])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_last_line_that_is_cut_anywhere_is_left_out_and_the_report_says_so(
    tmp_path: Path, cut: int, end: str
) -> None:
    log = tmp_path / "a.csv"
    text = (WHOLE + LAST[:cut]).replace("\n", end)
    log.write_bytes(text.encode())

    answer = ask(log, FAILED)

    assert counts(answer) == (6, 1)
    assert _notes(answer)[0] == _note(log)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_last_line_that_is_whole_counts_with_and_without_its_end(
    tmp_path: Path, end: str
) -> None:
    log = tmp_path / "a.csv"
    log.write_bytes((WHOLE + LAST).replace("\n", "\r\n" if end == "\r\n" else "\n").encode())
    with log.open("ab") as file:
        file.write(end.encode())

    answer = ask(log, FAILED)

    assert counts(answer) == (7, 2)
    assert not any("not finished" in note for note in _notes(answer))


def test_only_the_file_that_is_being_written_is_named(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(WHOLE, encoding="utf-8", newline="")
    log = tmp_path / "c.csv"
    log.write_text(WHOLE + LAST[:20], encoding="utf-8", newline="")

    answer = ask(tmp_path / "*.csv", FAILED)

    assert counts(answer) == (18, 3)
    assert [note for note in _notes(answer) if "not finished" in note] == [_note(log)]


def test_two_files_may_be_written_at_once(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(WHOLE + LAST[:20], encoding="utf-8", newline="")

    answer = ask(tmp_path / "*.csv", FAILED)

    assert counts(answer) == (12, 2)
    assert sum("not finished" in note for note in _notes(answer)) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (f"{before(5)}\n", "does not match its header line, or is not UTF-8 ("),
        (f"{before(5)},200,a,b,c\n", "does not match its header line, or is not UTF-8 ("),
    ],
)
def test_a_line_that_does_not_fit_before_the_last_is_an_error_as_in_any_file(
    tmp_path: Path, wrong: str, said: str
) -> None:
    log = tmp_path / "a.csv"
    log.write_text(HEAD + wrong + "".join(LINES) + LAST[:20], encoding="utf-8", newline="")

    reason = refused(ask(log, FAILED), Cause.BACKEND_ERROR)

    assert said in reason
    assert "line 2" in reason


def test_a_value_that_does_not_fit_its_column_is_an_error_as_in_any_file(tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    many = LINES[0] * 20_001  # the types are learnt from the first 20,000 rows
    wrong = f"{before(5)},ok,a\n"
    log.write_text(HEAD + many + wrong + LAST[:20], encoding="utf-8", newline="")

    reason = refused(ask(log, FAILED), Cause.INVALID)

    assert "a value in the logs does not fit its column's type" in reason


def test_what_is_spent_is_read_of_such_a_file_too(tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    log.write_text(f"ts,cost\n{before(3)},1.5\n{before(2)},2\n{before(1)}", encoding="utf-8")

    (answer,) = ask_all(log, [request(Sli(spent="cost"), amount=True)])

    assert isinstance(answer, Spent)
    assert answer.amount == Fraction(7, 2)
    assert _notes(answer)[0] == _note(log)


def test_a_packed_file_that_ends_within_a_line_is_damaged(tmp_path: Path) -> None:
    log = tmp_path / "a.csv.gz"
    log.write_bytes(gzip.compress((WHOLE + LAST[:20]).encode()))

    assert "does not match its header line" in refused(ask(log, FAILED), Cause.BACKEND_ERROR)
