"""Whether a change is ever allowed by what was counted where it would be blocked by what happened.

python -m benchmarks.truth.run [--seeds 1000] [--server prometheus|victoria] [--only ROW] [--show]

Writes the histories of so many seeds into one server, asks it as ``gate check`` does, judges each
service by a policy of its own and prints a table. docs/truth.md has the method and the results.
"""

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import yaml

from benchmarks.truth.cases import ROWS, Case, case
from benchmarks.truth.generator import END, HEALTHY, WINDOW, History, write_openmetrics
from benchmarks.truth.mutations import Kind
from gate.check.options import Options
from gate.check.run import judge_measured, measure_policies
from gate.config.load import PolicyFile, load
from gate.decision.decision import PolicyDecision
from gate.policy.case import NO_PAST
from gate.policy.findings import Rule, Verdict
from tests.servers.metrics import backfill, prometheus, victoria

CHANGE = "full-rollout"
PATIENCE = 900.0
"""Seconds for a server to take the samples of all services."""
AT_ONCE = 200
"""Services in one policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the gate made of a case."""

    case: Case
    decision: PolicyDecision

    @property
    def verdict(self) -> Verdict:
        """Of a policy with this service alone."""
        return self.decision.verdict

    @property
    def allowed_wrongly(self) -> bool:
        """Whether it allows without a doubt what the truth forbids."""
        return self.case.history.blocks and self.verdict is Verdict.ALLOW

    @property
    def doubted(self) -> bool:
        """Whether it does not simply allow what the truth allows."""
        return not self.case.history.blocks and self.verdict is not Verdict.ALLOW

    @property
    def reasons(self) -> list[str]:
        """All that the gate says of it."""
        return [finding.reason for finding in self.decision.judgement.findings]


def write_policy(path: Path, url: str, cases: Iterable[Case]) -> Path:
    """Write a policy with an SLO for every case."""
    window = f"{WINDOW // timedelta(hours=1)}h"
    slos = [
        {
            "name": case.history.service,
            "objective": f"{float(case.history.objective):.3%}",
            "window": window,
            "sli": dict(case.sli),
        }
        for case in cases
    ]
    document = {
        "version": 1,
        "service": "chat",
        "backend": {"type": "prometheus", "url": url},
        "slos": slos,
        "tiers": [
            {"name": "healthy", "remaining": f"> {float(HEALTHY):.0%}", "allow": "all"},
            {"name": "exhausted", "otherwise": True, "allow": ["rollback"]},
        ],
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def judged_by(folder: Path, url: str, cases: Sequence[Case]) -> list[Outcome]:
    """Judge services, some hundred in one run."""
    outcomes = list[Outcome]()
    for start in range(0, len(cases), AT_ONCE):
        some = cases[start : start + AT_ONCE]
        outcomes += _judged(write_policy(folder / "truth.yaml", url, some), some)
    return outcomes


def _judged(path: Path, cases: Sequence[Case]) -> list[Outcome]:
    """Measure all services in one run, and judge each as if it were its policy's only one."""
    file = load(str(path), {})
    options = Options(at=END, change=CHANGE, timeout=timedelta(minutes=5))
    (measured,) = measure_policies([file], options)
    files = [_alone(file, place) for place in range(len(cases))]
    budgets = [((assessment,), NO_PAST) for assessment in measured[0]]
    decision = judge_measured(files, budgets, options, None)
    return [
        Outcome(case=one, decision=policy)
        for one, policy in zip(cases, decision.policies, strict=True)
    ]


def _alone(file: PolicyFile, place: int) -> PolicyFile:
    return replace(file, policy=replace(file.policy, slos=(file.policy.slos[place],)))


@contextmanager
def serving(server: str, folder: Path, seeds: Iterable[int]) -> Iterator[tuple[str, list[Case]]]:
    """Run a server that has the samples of these seeds; give its address, and their cases."""
    text, cases = folder / "truth.om", list[Case]()

    def histories() -> Iterator[History]:
        for seed in seeds:
            cases.append(case(seed))
            yield cases[-1].history

    with text.open("w", encoding="utf-8") as file:
        write_openmetrics(histories(), file)
    if server == "victoria":
        with victoria(folder / "victoria", text, seconds=PATIENCE) as running:
            yield running.url, cases
    else:
        backfill(text, folder / "blocks", PATIENCE)
        with prometheus(folder / "prometheus", folder / "blocks") as running:
            yield running.url, cases


def table(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield the lines of a table, a row for every life and mutation."""
    rows: dict[tuple[Kind, bool, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        rows[outcome.case.kind, outcome.case.mutation is not None, outcome.case.name].append(
            outcome
        )
    yield "| What happens | seeds | healthy | doubted | failing | blocked | doubted | ALLOWED |"
    yield "|:---|---:|---:|---:|---:|---:|---:|---:|"
    for (_, mutated, name), row in sorted(rows.items(), key=lambda item: item[0][:2]):
        yield _row(f"{'' if mutated else '*'}{name}{'' if mutated else '*'}", row)


def _row(name: str, row: Sequence[Outcome]) -> str:
    healthy = [outcome for outcome in row if not outcome.case.history.blocks]
    failing = [outcome for outcome in row if outcome.case.history.blocks]
    blocked = sum(outcome.verdict is Verdict.BLOCK for outcome in failing)
    wrongly = sum(outcome.allowed_wrongly for outcome in failing)
    cells = (
        len(row),
        len(healthy),
        sum(outcome.doubted for outcome in healthy),
        len(failing),
        blocked,
        len(failing) - blocked - wrongly,
        wrongly,
    )
    return f"| {name} | {' | '.join(map(str, cells))} |"


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what the claims are held against."""
    claimed = [outcome for outcome in outcomes if outcome.case.kind is not Kind.TRACELESS]
    failing = [outcome for outcome in claimed if outcome.case.history.blocks]
    wrongly = [outcome for outcome in failing if outcome.allowed_wrongly]
    healthy = [
        outcome
        for outcome in claimed
        if outcome.case.kind is Kind.HARMLESS and not outcome.case.history.blocks
    ]
    doubted = [outcome for outcome in healthy if outcome.doubted]
    yield f"allowed wrongly: {len(wrongly)} of {len(failing)} that the truth blocks"
    share = Fraction(len(doubted), max(len(healthy), 1))
    yield f"doubted: {len(doubted)} of {len(healthy)} healthy ones ({float(share):.1%})"
    causes = Counter(
        str(finding.rule)
        for outcome in doubted
        for finding in outcome.decision.judgement.findings
        if finding.verdict is not Verdict.ALLOW and finding.rule is not Rule.TIER
    )
    yield f"what doubted them: {dict(causes)}"


def explained(outcome: Outcome) -> str:
    """Return a case in full, for whoever mends it."""
    history, (assessment,) = outcome.case.history, outcome.decision.assessments
    counted = (
        "not measured" if assessment.remaining is None else f"{float(assessment.remaining):.3f}"
    )
    lines = [
        f"seed {history.seed}: {outcome.case.name} | life: {outcome.case.life.name} |"
        f" {outcome.case.indicator.name}",
        f"  truth: {history.failures} of {history.total} bad, {float(history.remaining):.3f} left;"
        f" counted: {float(assessment.bad or 0):.0f} of {float(assessment.total or 0):.0f},"
        f" {counted} left; verdict {outcome.verdict}",
        f"  sli: {dict(outcome.case.sli)}",
        f"  change at tick {history.change}",
        *(f"  - {reason}" for reason in outcome.reasons),
    ]
    return "\n".join(lines)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--server", choices=("prometheus", "victoria"), default="prometheus")
    parser.add_argument("--only", default=None, help="the name of a row, of which the seeds are")
    parser.add_argument("--show", action="store_true", help="explain what is wrong")
    asked = parser.parse_args()
    begin = time.perf_counter()
    place, step = (0, 1) if asked.only is None else (ROWS.index(asked.only), len(ROWS))
    seeds = range(asked.first + place, asked.first + place + asked.seeds * step, step)
    with (
        tempfile.TemporaryDirectory() as name,
        serving(asked.server, Path(name), seeds) as (url, cases),
    ):
        ready = time.perf_counter()
        outcomes = judged_by(Path(name), url, cases)
        done = time.perf_counter()
    for line in (*table(outcomes), "", *summary(outcomes)):
        print(line)
    print(
        f"{asked.server}: {ready - begin:.0f} s to write the histories,"
        f" {done - ready:.0f} s to judge"
    )
    for outcome in outcomes:
        wrong = outcome.allowed_wrongly or (outcome.doubted and outcome.case.kind is Kind.HARMLESS)
        if asked.show and wrong:
            print(explained(outcome))


if __name__ == "__main__":
    main()
