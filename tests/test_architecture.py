"""The rules of CONTRIBUTING.md that the source itself can be asked about."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from gate.analysis.cases.words import FORMATS as CASES_FORMATS
from gate.analysis.report.words import FORMATS as REPORT_FORMATS
from gate.backends import BACKEND, BACKENDS, registration
from gate.cli import test as test_command
from gate.cli.anomalies import anomalies
from gate.cli.check import check
from gate.cli.cohorts import cohorts
from gate.cli.doctor import doctor
from gate.cli.forecast import forecast
from gate.cli.incidents import DRAFT, incidents
from gate.cli.init import init
from gate.cli.main import COMMANDS
from gate.cli.report import report
from gate.cli.review import review
from gate.cli.schema import SCHEMAS, policy_schema, schema
from gate.cli.status import status
from gate.config.slo_files import FORMATS
from gate.exporters import EXPORTERS
from gate.history.charts.signals import RULES
from gate.measure import Cause
from gate.policy.policy import DEFAULT_ACTIONS
from gate.policy.rule_settings import NAMED_BURN_RATES
from gate.reporters import PAGES, REPORTERS

# Each rule lists all that breaks it at once.

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
        "base64",
        "binascii",
    ),
    "random",  # from a fixed seed
    "datetime",  # the types; the calls that read a clock or the machine's zone are looked for below
}
LONGEST_FUNCTION = 45
"""Lines, from ``def`` to the end, without the docstring."""
MOST_MODULES = 650
EMPTY_NAMES = {"one", "known", "told", "asked", "found"}
"""Names that hide what they stand for: a loop variable is the singular of what it loops over, and a
parameter the noun of its type."""
IMPURE_NAMES = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
IMPURE_METHODS = {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp", "localtime"}
HEAVY = {"duckdb", "jsonschema", "hypothesis", "jinja2", "numpy", "pandas", "asyncio"}
HEAVY |= {"grafana_foundation_sdk", "cryptography"}


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room(name: str) -> str:
    """Return the room of a module: the package under gate, or the single module there."""
    return name.split(".")[1] if "." in name else name


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


MODULES = {module(path): path for path in FILES}


@cache
def imports(path: Path) -> list[str]:
    """Return every module that a file imports, wherever in it; of a package, the modules named."""
    names = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            names += sorted(inner)
            if len(inner) < len(node.names):
                names.append(node.module or "")
    return names


def ours(path: Path) -> list[str]:
    return [name for name in imports(path) if name.startswith("gate.")]


def no_offender(offenders: Iterable[str]) -> None:
    """Fail with everybody who breaks a rule, one a line."""
    if lines := sorted(offenders):
        pytest.fail("\n".join(lines), pytrace=False)


def levels() -> list[set[str]]:
    """Return the rooms as CONTRIBUTING.md draws them, from the lowest to the highest."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^github_action -> .*$", text, re.MULTILINE)
    return [set(re.findall(r"\w+", level)) for level in reversed(line.split("->"))]


def test_every_room_is_on_the_map_and_every_room_of_the_map_is_there() -> None:
    there = {room(module(path)) for path in FILES} - {"gate", "__main__"}

    assert set().union(*levels()) == there


def test_a_room_imports_only_itself_and_lower_rooms() -> None:
    height = {name: place for place, level in enumerate(levels()) for name in level}
    height |= {"gate": -1, "__main__": len(height)}
    arrows = [(importer, name) for importer, path in MODULES.items() for name in ours(path)]

    assert arrows
    no_offender(
        f"{importer} imports {name}"
        for importer, name in arrows
        if room(name) != room(importer) and height[room(name)] >= height[room(importer)]
    )


def circles(graph: Mapping[str, set[str]]) -> list[str]:
    """Return circles, each as a chain of modules, until there is none without an arrow of these."""
    left = {importer: set(names) for importer, names in graph.items()}
    chains = []
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            chain = error.args[1][::-1]
            chains.append(" -> ".join(chain))
            left[chain[0]].remove(chain[1])
        else:
            return chains


def test_no_import_goes_in_a_circle_not_even_a_lazy_one() -> None:
    graph = {importer: set(ours(path)) - {importer} for importer, path in MODULES.items()}

    no_offender(circles(graph))


def test_the_search_for_circles_finds_every_one() -> None:
    graph = {"a": {"b", "d"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}

    assert sorted(map(len, circles(graph))) == [len("d -> e -> d"), len("a -> b -> c -> a")]


@pytest.mark.parametrize("package", ["backends", "cli", "exporters"])
def test_what_is_registered_beside_each_other_does_not_import_each_other(package: str) -> None:
    registered = {
        "backends": set(BACKENDS.values()),
        "cli": {f"gate.cli.{name}" for name in COMMANDS},
        "exporters": set(EXPORTERS.values()),
    }[package]
    arrows = [
        (importer, name)
        for importer, path in MODULES.items()
        for name in ours(path)
        if owner(importer, registered)
    ]

    assert arrows
    no_offender(
        f"{importer} imports {name}"
        for importer, name in arrows
        if owner(name, registered) not in {None, owner(importer, registered)}
    )


def owner(name: str, registered: set[str]) -> str | None:
    """Return the registered module, or package, that a module is or belongs to."""
    owners = [one for one in registered if f"{name}.".startswith(f"{one}.")]
    return owners[0] if owners else None


def test_a_pure_room_has_no_clock_no_environment_no_network_and_no_files() -> None:
    pure = [path for path in FILES if room(module(path)) in PURE]

    assert {room(module(path)) for path in pure} == set(PURE)
    no_offender(
        f"{module(path)}: {impure}"
        for path in pure
        for impure in (
            *(name for name in imports(path) if name not in {*PURE_MODULES, *ours(path)}),
            *impure_calls(tree(path)),
        )
    )


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


def test_whatever_is_public_has_a_docstring() -> None:
    modules = [name for name, path in MODULES.items() if not ast.get_docstring(tree(path))]
    inside = [
        f"{n}: {what}" for n, path in MODULES.items() for what in undocumented(tree(path).body)
    ]

    no_offender(modules + inside)


def undocumented(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield f"{node.name} on line {node.lineno}"
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body)


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{name}.{function.name}": length(function)
        for name, path in MODULES.items()
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
    }

    assert lengths
    no_offender(
        f"{name} has {lines} lines" for name, lines in lengths.items() if lines > LONGEST_FUNCTION
    )


def length(function: ast.FunctionDef) -> int:
    """Return the lines of a function without its decorators and its docstring."""
    first = function.body[0]
    docstring = first if ast.get_docstring(function) is not None else None
    lines = (function.end_lineno or 0) - function.lineno + 1
    return lines - (docstring.end_lineno or 0) + docstring.lineno - 1 if docstring else lines


def test_the_length_of_a_function_is_without_its_docstring() -> None:
    text = '@decorated\ndef f(\n    a,\n):\n    """One\n\n    two."""\n    return 1\n'
    function = ast.parse(text).body[0]

    assert isinstance(function, ast.FunctionDef)
    assert length(function) == 4


def test_no_text_of_a_room_below_the_command_line_names_an_option_of_it() -> None:
    # In a job of a CI system these are inputs of other names.
    options = {
        name
        for command in COMMANDS
        for parameter in getattr(import_module(f"gate.cli.{command}"), command).params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }
    below = {n: path for n, path in MODULES.items() if room(n) not in {"cli", "github_action"}}

    assert {"--at", "--top", "--no-burn-down"} <= options
    no_offender(
        f"{name} names {option}"
        for name, path in below.items()
        for text in texts(tree(path))
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)
        if option in options and not text.startswith("--")  # git has options, too
    )


def texts(root: ast.AST) -> Iterator[str]:
    """Yield the strings that are not documentation of the code."""
    documentation = {id(node.value) for node in ast.walk(root) if isinstance(node, ast.Expr)}
    for node in ast.walk(root):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in documentation:
            yield text


def test_the_search_for_texts_leaves_out_documentation() -> None:
    text = (
        '"""See --top."""\nX = 1\n"""--top"""\ndef f():\n    """--top"""\n    return f"see --top"\n'
    )

    assert list(texts(ast.parse(text))) == ["see --top"]


def test_there_are_not_too_many_modules_to_find_ones_way() -> None:
    modules = len(MODULES)

    assert modules <= MOST_MODULES


def test_no_name_hides_what_it_stands_for() -> None:
    no_offender(
        f"{module_name}:{line}: {name}"
        for module_name, path in MODULES.items()
        for name, line in bound_names(tree(path))
        if name.strip("_") in EMPTY_NAMES
    )


def bound_names(parsed: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each variable, parameter, attribute and function that a file defines, and its line."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            yield node.name or "_", node.lineno


def test_the_search_for_names_finds_every_kind() -> None:
    text = (
        "class A:\n    field: int\n\n    def method(self, parameter, *rest, **more):\n"
        "        self.attribute = [item for item in (variable := rest)]\n"
        "        try:\n            read(lambda inner: inner)\n"
        "        except OSError as error:\n            raise\n"
        "        match more:\n            case [first, *others]:\n                pass\n"
    )

    names = {name for name, _ in bound_names(ast.parse(text))}

    assert names == {
        *("field", "method", "self", "parameter", "rest", "more", "attribute", "item"),
        *("variable", "inner", "error", "first", "others"),
    }


def test_no_two_modules_define_a_public_type_of_one_name() -> None:
    modules_by_type: dict[str, list[str]] = {}
    for module_name, path in MODULES.items():
        for name in public_types(tree(path)):
            modules_by_type.setdefault(name, []).append(module_name)

    assert modules_by_type
    no_offender(
        f"{name}: {', '.join(modules)}"
        for name, modules in modules_by_type.items()
        if len(modules) > 1
    )


def public_types(parsed: ast.Module) -> Iterator[str]:
    """Yield the public classes and type aliases of a module, which alone are in CamelCase."""
    for node in parsed.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            yield from (name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name))


def test_the_search_for_public_types_finds_classes_and_aliases() -> None:
    text = "class A: ...\nclass _B: ...\nRows = list[int]\nT = _Rows = int\nLIMIT = 3\nx = 4\n"

    assert list(public_types(ast.parse(text))) == ["A", "Rows"]


REGISTRIES: dict[str, Mapping[str, str]] = {
    "gate.backends": BACKENDS,
    "gate.cli.main": {name: f"gate.cli.{name}" for name in COMMANDS},
    "gate.config.slo_files": FORMATS,
    "gate.exporters": EXPORTERS,
    "gate.reporters": {**REPORTERS, **PAGES},
    "gate.analysis.report.words": REPORT_FORMATS,
    "gate.analysis.cases.words": CASES_FORMATS,
}
"""By the module that has it: what is registered there, each by the name of its module."""


def test_what_is_registered_is_a_module_and_imported_only_when_it_is_used() -> None:
    registered = {name for registry in REGISTRIES.values() for name in registry.values()}
    loaded = modules_after(f"import {', '.join(REGISTRIES)}")

    assert registered - MODULES.keys() == set()
    assert registered & loaded == set()


def test_a_format_of_every_command_is_a_format_of_decisions_and_of_reports() -> None:
    assert PAGES.items() <= REPORTERS.items()
    assert PAGES.items() <= REPORT_FORMATS.items()
    assert PAGES.items() <= CASES_FORMATS.items()


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
    assert choices(incidents, "format_") == [*PAGES, DRAFT]
    for command in (status, doctor, forecast, review, anomalies, cohorts):
        assert choices(command, "format_") == list(PAGES)
    assert choices(anomalies, "rules") == list(RULES)
    assert choices(report, "format_") == list(REPORT_FORMATS)
    assert choices(test_command.test, "format_") == list(CASES_FORMATS)
    assert choices(schema, "name") == list(SCHEMAS)
    assert choices(init, "backend") == list(BACKENDS)


def test_the_words_of_the_policys_schema_follow_from_the_registries() -> None:
    properties: dict[str, Any] = policy_schema()["properties"]
    backends = [one["properties"]["type"]["const"] for one in properties["backend"]["oneOf"]]

    assert backends == list(BACKENDS) == list(BACKEND.blocks)
    assert [registration(kind).kind for kind in BACKENDS] == list(BACKENDS)
    assert set(properties["on"]["properties"]) == {*Cause, "except"} == {*DEFAULT_ACTIONS, "except"}
    assert list(NAMED_BURN_RATES) == properties["burn_rates"]["anyOf"][0]["enum"]


def environment() -> dict[str, str]:
    """Return an environment in which no coverage is measured, which would load modules too."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def modules_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded for some code."""
    program = f"import sys\nbefore = set(sys.modules)\n{code}\n" + (
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    return set(words_of(program)[-1].split())


def words_of(program: str) -> list[str]:
    """Return the lines that a program writes to stderr in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()


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


@pytest.mark.parametrize("order", [list(COMMANDS), list(COMMANDS)[::-1]], ids=["down", "up"])
def test_a_command_imports_no_other_command(order: list[str]) -> None:
    """Run first in one order and in the other, neither of two commands imports the other."""
    program = (
        f"import sys\nfrom gate.cli.main import COMMANDS, main\nfor name in {order!r}:\n"
        "    main([name, '--help'])\n"
        "    loaded = {n for n in COMMANDS if f'gate.cli.{n}' in sys.modules}\n"
        "    print(*sorted(loaded), file=sys.stderr)\n"
    )

    lines = words_of(program)

    assert [set(line.split()) for line in lines] == [
        set(order[:place]) for place in range(1, len(order) + 1)
    ]


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
