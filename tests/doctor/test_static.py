"""Counts that somebody wrote down: the doctor says that nothing live is behind them."""

from pathlib import Path

from tests.doctor.asking import examine, levels, run, write_policy

SLO = {"name": "availability", "objective": "99.9%", "window": "30d"}


def test_counts_that_are_written_down_are_a_doubt(tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").write_text("counts: {availability: {total: 1000, bad: 1}}\n")
    path = write_policy(tmp_path, {"type": "static", "path": "counts.yaml"}, [SLO])
    outcome = examine(path)

    assert outcome.code == 0
    assert levels(outcome.policy["backend"]) == {"live": "doubt"}
    assert "nothing live is behind them" in outcome.backend[0]["message"]
    assert levels(outcome.slos["availability"]) == {}
    assert run(path).stdout.startswith("▲ 1 DOUBT  chat\n")


def test_counts_that_are_missing_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").write_text("counts: {availabilty: {total: 1000, bad: 1}}\n")
    path = write_policy(tmp_path, {"type": "static", "path": "counts.yaml"}, [SLO])
    outcome = examine(path)

    assert outcome.code == 12
    assert levels(outcome.slos["availability"]) == {"counted": "fault"}


def test_a_file_that_cannot_be_read_is_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").write_text("counts: {")
    path = write_policy(tmp_path, {"type": "static", "path": "counts.yaml"}, [SLO])

    assert examine(path).code == 3
