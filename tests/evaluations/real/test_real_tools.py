"""Real tools evaluate 20 stated answers; the gate reads exactly what became of each.

17 answers are right, two are wrong and one raises an exception. `tests/install-evaluations.sh`
installs the tools; what is missing is a failure and not a skip.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from gate.evaluations import CaseOutcome, EvaluationRun
from gate.evaluations.cases import cases_of
from gate.evaluations.reading import read_run
from tests.cli.installed import command
from tests.command import environment
from tests.evaluations.corpus.scene import COUNTS, KEY, POLICY
from tests.hosts.repository import commit, git

pytestmark = [pytest.mark.slow, pytest.mark.real]

PROGRAMS: Final = Path(__file__).parent / "programs"
TOOLS: Final = Path(__file__).parents[3] / ".servers" / "evaluations"
WRONG: Final = (7, 14)
RAISES: Final = 20
CASES: Final[list[dict[str, str | None]]] = [
    {
        "id": f"q-{number:02}",
        "question": f"What is {number} plus {number}?",
        "answer": str(2 * number),
        "output": None if number == RAISES else "0" if number in WRONG else str(2 * number),
        "error": "the provider failed" if number == RAISES else None,
    }
    for number in range(1, 21)
]
PASSED: Final = 17
ERRORED: Final = {CaseOutcome.PASSED: 17, CaseOutcome.FAILED: 2, CaseOutcome.ERRORED: 1}
UNSCORED: Final = {CaseOutcome.PASSED: 17, CaseOutcome.FAILED: 2, CaseOutcome.UNSCORED: 1}
NOT_SEPARATED: Final = {CaseOutcome.PASSED: 17, CaseOutcome.FAILED: 3}
"""For tools that give only totals, or end at the first exception, so that an empty answer it is."""
QUIET: Final = {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "DO_NOT_TRACK": "true",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_OFFLINE": "1",
    "NO_COLOR": "1",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "RAGAS_DO_NOT_TRACK": "true",
}
"""No tool may call home, or write where others would see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """How a tool is run on the cases, and what its file must say."""

    program: str
    """Below `TOOLS`; the first word of the command."""
    words: Sequence[str]
    """The rest of the command, which runs in the repository. COMMIT stands for the commit."""
    file: str
    """A glob of the one file, in the repository."""
    tool: str
    metric: str
    counts: Mapping[CaseOutcome, int]
    ends: frozenset[int] = frozenset({0})
    """Exit codes of the tool, for a run with wrong answers."""
    dated: bool = False
    """Whether the time is in the file."""
    bound: bool = False
    """Whether the commit is in the file."""
    score: int | None = None
    output: str | None = None
    """The file that its standard output is written to."""
    beside: Sequence[str] = ()
    """Globs of files that must be there too."""


PYTHON: Final = "bin/python"
PROMPTFOO: Final = (
    *("eval", "-c", "promptfooconfig.json", "-o", "evals/promptfoo.json"),
    *("-o", "evals/promptfoo.junit.xml", "--no-cache", "--no-write", "--no-table"),
    *("--no-progress-bar", "--tag", "git.sha=COMMIT"),
)
INSPECT: Final[dict[str, Any]] = {
    "program": f"inspect/{PYTHON}",
    "tool": "inspect",
    "metric": "match",
    "counts": ERRORED,
    "dated": True,
    "bound": True,
}
RAGAS: Final[dict[str, Any]] = {
    "program": f"ragas/{PYTHON}",
    "words": ("programs/ragas_run.py",),
    "tool": "ragas",
    "metric": "exact_match",
    "counts": UNSCORED,
    "score": 1,
}
EVIDENTLY: Final[dict[str, Any]] = {
    "program": f"evidently/{PYTHON}",
    "words": ("programs/evidently_run.py", "COMMIT"),
    "tool": "evidently",
    "metric": "exact",
}
RUNS: Final = {
    "promptfoo": Tool(
        program="promptfoo/node_modules/.bin/promptfoo",
        words=PROMPTFOO,
        file="evals/promptfoo.json",
        tool="promptfoo",
        metric="exact",
        counts=ERRORED,
        ends=frozenset({100}),
        dated=True,
        bound=True,
    ),
    "promptfoo-junit": Tool(
        program="promptfoo/node_modules/.bin/promptfoo",
        words=PROMPTFOO,
        file="evals/promptfoo.junit.xml",
        tool="junit",
        metric="all",
        counts=ERRORED,
        ends=frozenset({100}),
        dated=True,
    ),
    "inspect": Tool(
        **INSPECT, words=("programs/inspect_ai_run.py", "evals", "json"), file="evals/*.json"
    ),
    "inspect-archive": Tool(
        **INSPECT, words=("programs/inspect_ai_run.py", "evals", "eval"), file="evals/*.eval"
    ),
    "deepeval": Tool(
        program=f"deepeval/{PYTHON}",
        words=("programs/deepeval_run.py", "COMMIT"),
        file=".deepeval/.latest_test_run.json",
        tool="deepeval",
        metric="Exact",
        counts=ERRORED,
        bound=True,
    ),
    "lm-eval": Tool(
        program=f"lm-eval/{PYTHON}",
        words=(
            *("programs/lm_eval_run.py", "--model", "stated", "--tasks", "sums"),
            *("--include_path", "programs", "--output_path", "evals", "--log_samples"),
        ),
        file="evals/*/results_*.json",
        tool="lm-eval",
        metric="exact_match,none",
        counts=NOT_SEPARATED,
        dated=True,
        bound=True,
    ),
    "ragas-table": Tool(**RAGAS, file="run.csv"),
    "ragas-records": Tool(**RAGAS, file="run.json"),
    "evidently": Tool(**EVIDENTLY, file="run.json", counts=NOT_SEPARATED),
    "evidently-snapshot": Tool(
        **EVIDENTLY, file="run.snapshot.json", counts=NOT_SEPARATED, dated=True, bound=True
    ),
    "pytest": Tool(
        program=sys.executable,
        words=(
            *("-m", "pytest", "-p", "no:cacheprovider", "--quiet", "programs/pytest_run.py"),
            "--junitxml=evals/junit.xml",
        ),
        file="evals/junit.xml",
        tool="junit",
        metric="all",
        counts=ERRORED,
        ends=frozenset({1}),
        dated=True,
    ),
}
BRAINTRUST: Final = Tool(
    program="braintrust/bin/braintrust",
    words=("eval", "--jsonl", "--no-send-logs", "programs/braintrust_run.py"),
    file="evals/summary.jsonl",
    tool="braintrust",
    metric="exact",
    counts={},
    output="evals/summary.jsonl",
)


@dataclass(slots=True, kw_only=True)
class Evaluated:
    """A repository in which a tool has evaluated the answers."""

    folder: Path
    head: str
    began: datetime
    ended: datetime
    files: dict[str, Path] = field(default_factory=dict)

    def file(self, tool: Tool) -> Path:
        """Return the file of a run."""
        found = sorted(self.folder.glob(tool.file))
        assert len(found) == 1, found
        return found[0]


_DONE: Final[dict[tuple[str, ...], Evaluated]] = {}


def evaluated(tool: Tool, where: pytest.TempPathFactory) -> Evaluated:
    """Run a tool in a repository of its own, once for all tests of the same command."""
    key = (tool.program, *tool.words)
    if key not in _DONE:
        _DONE[key] = _evaluate(tool, where.mktemp("real"))
    return _DONE[key]


def _evaluate(tool: Tool, folder: Path) -> Evaluated:
    program = TOOLS / tool.program
    if not program.exists():
        pytest.fail(f"{program} is not installed; bash tests/install-evaluations.sh installs it")
    git(folder, "init", "--quiet", "--initial-branch=main")
    shutil.copytree(PROGRAMS, folder / "programs")
    (folder / "promptfooconfig.json").write_text(_promptfoo_config(), encoding="utf-8")
    (folder / "cases.json").write_text(json.dumps(CASES), encoding="utf-8")
    lines = [json.dumps({name: case[name] for name in ("question", "answer")}) for case in CASES]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ignored = "evals/\nrun.*\n.deepeval/\n.home/\n__pycache__/\n*.attestation.json\n"
    head = commit(folder, "begin", {"counts.yaml": COUNTS, ".gitignore": ignored})
    (folder / "evals").mkdir()
    began = datetime.now(UTC)
    # Inspect does not ask git for the commit in what a test has started.
    inherited = {name: each for name, each in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [str(program), *(word.replace("COMMIT", head) for word in tool.words)],
        cwd=folder,
        env=inherited
        | QUIET
        | {"HF_HOME": str(folder / ".home"), "PROMPTFOO_CONFIG_DIR": str(folder / ".home")},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode in tool.ends, done.stdout + done.stderr
    if tool.output:
        (folder / tool.output).write_text(done.stdout, encoding="utf-8")
    return Evaluated(folder=folder, head=head, began=began, ended=datetime.now(UTC))


def _promptfoo_config() -> str:
    tests = [
        {
            "description": case["id"],
            "vars": {"question": case["question"]},
            "assert": [{"type": "equals", "value": case["answer"], "metric": "exact"}],
        }
        for case in CASES
    ]
    return json.dumps(
        {
            "prompts": ["{{question}}"],
            "providers": ["file://programs/promptfoo.cjs"],
            "tests": tests,
        }
    )


def _read(run: Evaluated, tool: Tool) -> EvaluationRun:
    file = run.file(tool)
    score = None if tool.score is None else Fraction(tool.score)
    return read_run(file.read_bytes(), file_name=file.name, metric=tool.metric, score=score)


@pytest.fixture(params=RUNS, scope="module")
def tool(request: pytest.FixtureRequest) -> Tool:
    """Return each tool in turn."""
    return RUNS[request.param]


def test_the_gate_reads_what_the_tool_did(
    tool: Tool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = evaluated(tool, tmp_path_factory)

    read = _read(run, tool)

    assert read.tool == tool.tool
    assert read.flaws == ()
    cases = cases_of([read])
    assert (cases.total, cases.passed, cases.doubts) == (len(CASES), PASSED, ())
    assert {outcome: count for outcome, count in cases.counts.items() if count} == tool.counts
    assert (read.started_at is not None) == tool.dated
    assert (read.commit is not None) == tool.bound
    if read.started_at is not None:
        # Some write whole seconds. A time without a zone is taken for the earliest that it can be.
        earliest = timedelta(seconds=1) if read.zoned else timedelta(hours=26)
        assert run.began - earliest <= read.started_at <= run.ended
    if read.commit is not None:
        assert len(read.commit) >= 7
        assert run.head.startswith(read.commit)


@pytest.mark.parametrize(("bar", "ends"), [("85%", 0), ("86%", 10)])
def test_the_requirement_decides(
    tool: Tool, bar: str, ends: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = evaluated(tool, tmp_path_factory)

    assert _check(run, tool, bar) == ends


def test_results_of_an_earlier_commit_are_set_aside(
    tool: Tool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = evaluated(tool, tmp_path_factory)
    assert _check(run, tool, "85%") == 0

    git(run.folder, "commit", "--quiet", "--allow-empty", "--message=change")
    try:
        assert _check(run, tool, "85%", attest=False) == 3
    finally:
        git(run.folder, "reset", "--quiet", "--soft", run.head)


def test_a_summary_without_a_number_of_cases_never_decides(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    run = evaluated(BRAINTRUST, tmp_path_factory)

    assert '"score"' in run.file(BRAINTRUST).read_text(encoding="utf-8")
    for bar in ("1%", "85%", "99%"):
        assert _check(run, BRAINTRUST, bar) == 3


def _check(run: Evaluated, tool: Tool, bar: str, *, attest: bool = True) -> int:
    """Return the exit code of the installed command, for a bar."""
    requirement: dict[str, Any] = {
        "evaluation": "answers",
        "metric": tool.metric,
        "from": tool.file,
        "at_least": bar,
        "cases": len(CASES),
        "max_age": "24h",
    }
    if tool.score is not None:
        requirement["score"] = tool.score
    policy = POLICY.replace("REQUIREMENT", json.dumps(requirement))
    (run.folder / "gate.yaml").write_text(policy, encoding="utf-8")
    if attest and not (tool.dated and tool.bound):
        file = str(run.file(tool).relative_to(run.folder))
        assert _gate(run, "attest", file).returncode == 0
    done = _gate(run, "check", "--change", "model-update", "--policy-ref", "none")
    assert "Traceback" not in done.stderr
    return done.returncode


def _gate(run: Evaluated, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        cwd=run.folder,
        env=environment({"GATE_SIGNING_KEY": KEY}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
