"""The commit and the time that a file has inside, beside those that its attestation has."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.check.evidence import read_result
from gate.decision.attestation import ENDING, Attested, attestation
from gate.decision.seal import hmac_key
from gate.evaluations.binding import ResultFile
from tests.evaluations.honest import content

KEY = hmac_key(b"a secret of the run that attests")
INSIDE = datetime(2026, 11, 28, 22, 54, tzinfo=UTC)
REPORT = b"""<testsuites><testsuite timestamp="2026-11-28T22:54:00Z" tests="1">
<testcase name="q-001"/></testsuite></testsuites>"""


def attested(folder: Path, content: bytes, said: Attested) -> ResultFile:
    """Return what is read of a file that a run has attested to."""
    path = folder / "results"
    path.write_bytes(content)
    parcel = attestation(content, path.name, said, version="1", key=KEY)
    path.with_name(f"{path.name}{ENDING}").write_text(json.dumps(parcel), encoding="utf-8")
    return read_result(path, name=path.name, metric=None, score=None, key=KEY)


@pytest.mark.parametrize(
    ("later", "counts"),
    [
        (timedelta(minutes=3), True),
        (timedelta(minutes=-5), True),  # clocks differ
        (timedelta(minutes=-5, seconds=-1), False),
    ],
    ids=str,
)
def test_no_run_is_attested_before_it_happened(
    later: timedelta, counts: bool, tmp_path: Path
) -> None:
    read = attested(tmp_path, REPORT, Attested(commit="a" * 40, ran_at=INSIDE + later))

    assert (read.flaw is None) == counts
    assert read.commit == ("a" * 40 if counts else None)
    if counts:
        assert read.ran_at == min(INSIDE, INSIDE + later)
    else:
        assert "its attestation that it ran before, at 2026-11-28 22:48 UTC" in (read.flaw or "")


@pytest.mark.parametrize(
    ("commit", "counts"), [("46c34f6" + "0" * 33, True), ("46c34f5" + "0" * 33, False)]
)
def test_no_run_is_attested_for_another_commit_than_its_own(
    commit: str, counts: bool, tmp_path: Path
) -> None:
    results = content("lmeval/pass/results_2026-11-28T22-56-06.190442.json")

    read = attested(tmp_path, results, Attested(commit=commit, ran_at=INSIDE + timedelta(hours=1)))

    assert read.commit == (commit if counts else None)
    assert (read.flaw is None) == counts
    if not counts:
        assert "about 46c34f6, and its attestation that it is about 46c34f5" in (read.flaw or "")
