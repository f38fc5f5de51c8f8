"""The rules of CONTRIBUTING.md that the source itself can be asked about."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest

from gate.analysis.report.words import FORMATS as REPORT_FORMATS
from gate.backends import BACKENDS, registration
from gate.cli.anomalies import anomalies
from gate.cli.check import check
from gate.cli.cohorts import cohorts
from gate.cli.doctor import doctor
from gate.cli.forecast import forecast
from gate.cli.incidents import incidents
from gate.cli.init import init
from gate.cli.main import COMMANDS
from gate.cli.report import report
from gate.cli.review import review
from gate.cli.schema import SCHEMAS, schema
from gate.cli.status import status
from gate.config.policy_schema import BACKEND, policy_schema
from gate.config.slo_files import FORMATS
from gate.exporters import EXPORTERS
from gate.history.charts.signals import RULES
from gate.measure.counts import Cause
from gate.policy.policy import DEFAULT_ACTIONS
from gate.policy.rule_settings import NAMED_BURN_RATES
from gate.reporters import PAGES, REPORTERS

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "gate").rglob("*.py"))
PURE = ("slo", "wording", "measure", "promql", "budget", "history", "policy", "decision")
PURE_MODULES = {
    # Of the standard library: words and arithmetic. No clock, environment, network or file system.
    *("collections.abc", "contextlib", "dataclasses", "enum", "functools", "itertools", "operator"),
    *(
        "typing",
        "re",
        "string",
        "fractions",
        "decimal",
        "math",
        "statistics",
        "hashlib",
        "hmac",
        "json",
    ),
    "random",  # from a fixed seed
    "datetime",  # the types; the calls that read a clock or the machine's zone are looked for below
}
IMPURE_NAMES = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
IMPURE_METHODS = {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp", "localtime"}
HEAVY = {"duckdb", "jsonschema", "hypothesis", "jinja2", "numpy", "pandas", "asyncio"}
HEAVY |= {"grafana_foundation_sdk"}


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room(name: str) -> str:
    """Return the room of a module: the package under gate, or the single module there."""
    return name.split(".")[1] if "." in name else name


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> list[str]:
    """Return every module that a file imports, wherever in it."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.append(node.module or "")
    return found


def ours(path: Path) -> list[str]:
    return [name for name in imports(path) if name.startswith("gate.")]


def levels() -> list[set[str]]:
    """Return the rooms as CONTRIBUTING.md draws them, from the lowest to the highest."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^github_action -> .*$", text, re.MULTILINE)
    return [set(re.findall(r"\w+", level)) for level in reversed(line.split("->"))]


def test_every_room_is_on_the_map_and_every_room_of_the_map_is_there() -> None:
    there = {room(module(path)) for path in FILES} - {"gate", "__main__"}

    assert set().union(*levels()) == there


@pytest.mark.parametrize("path", FILES, ids=module)
def test_a_room_imports_only_itself_and_lower_rooms(path: Path) -> None:
    height = {name: place for place, level in enumerate(levels()) for name in level}
    height |= {"gate": -1, "__main__": len(height)}
    own = room(module(path))

    wrong = [name for name in ours(path) if room(name) != own and height[room(name)] >= height[own]]
    assert wrong == []


@pytest.mark.parametrize("package", ["backends", "cli", "exporters"])
def test_what_is_registered_beside_each_other_does_not_import_each_other(package: str) -> None:
    registered = {
        "backends": set(BACKENDS.values()),
        "cli": {f"gate.cli.{name}" for name in COMMANDS},
        "exporters": set(EXPORTERS.values()),
    }[package]

    for path in FILES:
        owners = {name for name in registered if f"{module(path)}.".startswith(f"{name}.")}
        others = registered - owners
        if owners:
            wrong = [n for n in ours(path) for other in others if f"{n}.".startswith(f"{other}.")]
            assert wrong == [], path


@pytest.mark.parametrize("path", [p for p in FILES if room(module(p)) in PURE], ids=module)
def test_a_pure_room_has_no_clock_no_environment_no_network_and_no_files(path: Path) -> None:
    allowed = PURE_MODULES | {name for name in imports(path) if name.startswith("gate.")}

    assert set(imports(path)) - allowed == set()
    assert sorted(impure_calls(tree(path))) == []


def impure_calls(root: ast.AST) -> Iterator[str]:
    for node in ast.walk(root):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        method = called.rpartition(".")[2]
        named = called in IMPURE_NAMES or ("." in called and method in IMPURE_METHODS)
        # Without an argument it takes the machine's zone, or a seed of the machine's.
        if named or (method in {"astimezone", "Random"} and not node.args):
            yield called


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("datetime.now(UTC)", ["datetime.now"]),
        ("at.astimezone()", ["at.astimezone"]),
        ("at.astimezone(UTC)", []),
        ("Random()", ["Random"]),
        ("Random(1)", []),
        ("open('x')", ["open"]),
        ("window.opened(at)", []),
    ],
)
def test_the_search_for_impure_calls_finds_them(text: str, found: list[str]) -> None:
    assert list(impure_calls(ast.parse(text))) == found


def test_importing_the_pure_rooms_loads_nothing_that_could_reach_outside() -> None:
    names = [module(path) for path in FILES if room(module(path)) in PURE]
    loaded = modules_after(f"import {', '.join(names)}")

    outside = {"requests", "urllib3", "yaml", "click", "socket", "ssl", "subprocess", "zoneinfo"}
    assert loaded & outside == set()


@pytest.mark.parametrize("path", FILES, ids=module)
def test_whatever_is_public_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "the module itself"
    assert list(undocumented(tree(path).body)) == []


def undocumented(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield f"{node.name} on line {node.lineno}"
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body)


@pytest.mark.parametrize(
    "registry",
    [BACKENDS, EXPORTERS, FORMATS, PAGES, REPORTERS, REPORT_FORMATS],
    ids=["backends", "exporters", "SLO files", "pages", "decisions", "reports"],
)
def test_a_registry_names_modules_and_imports_none(registry: dict[str, str]) -> None:
    assert type(registry) is dict
    assert [name for name in registry.values() if find_spec(name) is None] == []


def test_a_format_of_every_command_is_a_format_of_decisions_and_of_reports() -> None:
    assert PAGES.items() <= REPORTERS.items()
    assert PAGES.items() <= REPORT_FORMATS.items()


def test_every_command_is_a_module_of_its_name() -> None:
    for name in COMMANDS:
        path = ROOT / "gate" / "cli" / f"{name}.py"
        functions = {n.name for n in tree(path).body if isinstance(n, ast.FunctionDef)}
        assert name in functions


def choices(command: click.Command, option: str) -> list[str]:
    (kind,) = [param.type for param in command.params if param.name == option]
    assert isinstance(kind, click.Choice)
    return list(kind.choices)


def test_the_choices_of_the_commands_follow_from_the_registries() -> None:
    assert choices(check, "format_") == list(REPORTERS)
    for command in (status, doctor, incidents, forecast, review, anomalies, cohorts):
        assert choices(command, "format_") == list(PAGES)
    assert choices(anomalies, "rules") == list(RULES)
    assert choices(report, "format_") == list(REPORT_FORMATS)
    assert choices(schema, "name") == list(SCHEMAS)
    assert choices(init, "backend") == list(BACKENDS)


def test_the_words_of_the_policys_schema_follow_from_the_registries() -> None:
    properties: dict[str, Any] = policy_schema()["properties"]
    backends = [one["properties"]["type"]["const"] for one in properties["backend"]["oneOf"]]

    assert backends == list(BACKENDS) == list(BACKEND.blocks)
    assert [registration(kind).kind for kind in BACKENDS] == list(BACKENDS)
    assert set(properties["on"]["properties"]) == {*Cause, "except"} == {*DEFAULT_ACTIONS, "except"}
    assert list(NAMED_BURN_RATES) == properties["burn_rates"]["anyOf"][0]["anyOf"][0]["enum"]


def environment() -> dict[str, str]:
    """Return an environment in which no coverage is measured, which would load modules too."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def modules_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded for some code."""
    program = f"import sys\nbefore = set(sys.modules)\n{code}\n" + (
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def modules_of(*arguments: str) -> set[str]:
    """Return the modules that one run of the command loads."""
    return modules_after(f"from gate.cli.main import main\nmain({list(arguments)!r})")


POLICY = """\
version: 1
service: chat
backend: {BACKEND}
slos:
  - {name: availability, objective: 99.9%, window: 30dSLI}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback]}
"""


@pytest.fixture
def static_policy(tmp_path: Path) -> str:
    (tmp_path / "counts.yaml").write_text("counts: {availability: {total: 1000000, bad: 1}}\n")
    path = tmp_path / "gate.yaml"
    backend = "type: static, path: counts.yaml"
    path.write_text(POLICY.replace("BACKEND", backend).replace("SLI", ""))
    return str(path)


def test_help_imports_no_command() -> None:
    loaded = modules_of("--help")

    assert loaded & {f"gate.cli.{name}" for name in COMMANDS} == set()
    assert loaded & ({"yaml", "requests", "subprocess"} | HEAVY) == set()


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "check"])
def test_a_command_imports_no_other_command(name: str) -> None:
    commands = {f"gate.cli.{command}" for command in COMMANDS}

    assert modules_of(name, "--help") & commands == {f"gate.cli.{name}"}


def test_a_check_of_static_counts_imports_only_what_it_uses(static_policy: str) -> None:
    loaded = modules_of("check", static_policy)

    assert {"gate.cli.check", "gate.backends.static", "gate.reporters.page_terminal"} <= loaded
    assert loaded & HEAVY == set()
    assert loaded & {"requests", "urllib3", "ssl", "http.client", "concurrent.futures"} == set()
    assert loaded & {"gate.config.slo_files", "gate.promql", "glob"} == set()
    assert loaded & {"gate.measure.diagnosis", "gate.analysis.doctor"} == set()
    assert {name for name in loaded if ".doctor" in name} == set()
    for registered in (BACKENDS, REPORTERS):
        used = {"gate.backends.static", "gate.reporters.page_terminal"}
        assert loaded & set(registered.values()) <= used
    assert loaded & {f"gate.cli.{name}" for name in COMMANDS} == {"gate.cli.check"}


def test_a_check_against_prometheus_imports_no_other_backend_and_no_reporter_but_its_own(
    tmp_path: Path,
) -> None:
    path = tmp_path / "gate.yaml"
    backend = 'type: prometheus, url: "http://127.0.0.1:9", retries: 0'
    text = POLICY.replace("BACKEND", backend)
    path.write_text(text.replace("SLI", ", sli: {bad: a_total, total: b_total}"))

    loaded = modules_of("check", str(path), "--format", "json")

    assert {"gate.backends.prometheus", "gate.reporters.page_json"} <= loaded
    assert loaded & HEAVY == set()
    assert loaded & {"gate.backends.logs", "gate.backends.static", "difflib"} == set()
    assert loaded & {"gate.config.slo_files", *FORMATS.values()} == set()
    assert loaded & set(REPORTERS.values()) == {"gate.reporters.page_json"}
