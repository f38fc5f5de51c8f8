"""The time that a file has inside, beside the one that its attestation has."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.check.evidence import read_result
from gate.decision.attestation import ENDING, Attested, attestation
from gate.decision.seal import hmac_key

KEY = hmac_key(b"a secret of the run that attests")
INSIDE = datetime(2026, 11, 28, 22, 54, tzinfo=UTC)
REPORT = b"""<testsuites><testsuite timestamp="2026-11-28T22:54:00Z" tests="1">
<testcase name="q-001"/></testsuite></testsuites>"""


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
    path = tmp_path / "junit.xml"
    path.write_bytes(REPORT)
    said = Attested(commit="a" * 40, ran_at=INSIDE + later)
    parcel = attestation(REPORT, path.name, said, version="1", key=KEY)
    path.with_name(f"{path.name}{ENDING}").write_text(json.dumps(parcel), encoding="utf-8")

    read = read_result(path, name=path.name, metric="all", score=None, key=KEY)

    assert (read.flaw is None) == counts
    assert read.commit == ("a" * 40 if counts else None)
    if counts:
        assert read.ran_at == min(INSIDE, INSIDE + later)
    else:
        assert "its attestation that it ran before, at 2026-11-28 22:48 UTC" in (read.flaw or "")
