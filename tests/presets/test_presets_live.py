"""Every preset against a real server that has scraped what its server exposes.

The counts are those of the requests themselves, by plain Python, in tests/presets/servers.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.command import gate
from tests.presets.pages import END, HOURS, MARK, MINUTES, servers
from tests.servers.metrics import Server

pytestmark = [pytest.mark.real, pytest.mark.slow]


class Case(NamedTuple):
    """One indicator of one server, as a policy may have it."""

    server: str
    kind: str
    place: int
    says: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.server}/{self.kind}/{self.place}"

    def slo(self) -> dict[str, Any]:
        """Return the SLO of a policy."""
        keys = ("threshold", "options", "bucket")
        says = {key: self.says[key] for key in keys if key in self.says}
        labels = {MARK: self.server, **self.says.get("labels", {})}
        sli = {"preset": f"{self.server}/{self.kind}", **says, "labels": labels}
        promise: dict[str, Any] = (
            {"allowance": "1e9"} if "spent" in self.says else {"objective": "95%"}
        )
        return {"name": self.name, **promise, "window": f"{HOURS}h", "sli": sli}


CASES = [
    Case(server, kind, place, says)
    for server, module in servers().items()
    for kind, cases in module.EXPECTED.items()
    for place, says in enumerate(cases)
]


@pytest.fixture(
    scope="session", params=["prometheus", pytest.param("victoria", marks=pytest.mark.slow)]
)
def measured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Return what the command measures of every case, in one run, by its name."""
    server: Server = request.getfixturevalue(f"pages_{request.param}")
    path = tmp_path_factory.mktemp("policy") / "gate.yaml"
    write_policy(path, server.url, CASES)
    done = gate("status", str(path), "--at", END.isoformat(), "--format", "json")
    assert done.exit_code == 0, done.stderr
    (policy,) = json.loads(done.stdout)["policies"]
    return {slo["name"]: slo for slo in policy["slos"]}


def write_policy(path: Path, url: str, cases: list[Case]) -> None:
    document = {
        "version": 1,
        "service": "chat",
        "backend": {"type": "prometheus", "url": url},
        "slos": [case.slo() for case in cases],
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_preset_counts_what_happened(case: Case, measured: dict[str, dict[str, Any]]) -> None:
    slo = measured[case.name]
    roles = ("spent",) if "spent" in case.says else ("bad", "total")

    assert slo.get("cause") is None, slo
    counted = {role: Fraction(str(slo[role])) for role in roles}
    expected = {role: case.says[role] * MINUTES for role in roles}
    assert counted == pytest.approx(expected, rel=1e-9, abs=case.says.get("within", 0))
