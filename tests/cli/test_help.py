"""The help: every option in a group, its unit or form, and the environment variables."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from gate.cli import program
from gate.cli.command import CommandArgument, CommandOption, Heading
from gate.cli.main import COMMANDS, PROGRAM, SECTIONS
from gate.cli.option_values import Parsed
from gate.cli.variables import READ_BY, VARIABLES
from tests.command import Run

SOURCE = Path(__file__).parents[2] / "gate"
SENTENCE = re.compile(r"[A-Z].*\.", re.DOTALL)
FORMS = {
    "duration": re.compile(r"\bduration such as \d+[mhds]\b|\bduration, such as \d+[mhds]\b"),
    "time": re.compile(r"RFC 3339 time"),
    "share": re.compile(r"\bshare\b.*\d%", re.DOTALL),
    "rate": re.compile(r"^Burn rate"),
}
"""The words of an option's help on its value, by the kind of the value."""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command and subcommand by its name as it is typed."""
    found = {name: getattr(import_module(f"gate.cli.{name}"), name) for name in COMMANDS}
    for name, command in {**found, **program.COMMANDS}.items():
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", command.commands[inner]) for inner in command.commands)


ALL = dict(commands())
OPTIONS = {
    f"{name} {parameter.opts[0]}": parameter
    for name, command in ALL.items()
    for parameter in command.params
}
HELPS = {name: click.Context(command, info_name=name).get_help() for name, command in ALL.items()}


@pytest.mark.variants(55)
@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_in_a_group_and_has_a_sentence_that_says_its_form(name: str) -> None:
    parameter = OPTIONS[name]
    assert isinstance(parameter, CommandOption | CommandArgument)
    text = (parameter.help if isinstance(parameter, CommandOption) else parameter.help_) or ""

    assert parameter.heading in Heading
    assert SENTENCE.fullmatch(text), text
    if isinstance(parameter.type, Parsed) and parameter.type.name in FORMS:
        assert FORMS[parameter.type.name].search(text), text


def test_each_kind_of_value_that_needs_a_unit_is_one_of_some_option() -> None:
    kinds = {parameter.type.name for parameter in OPTIONS.values()}

    assert kinds >= FORMS.keys()


@pytest.mark.parametrize("name", ALL)
def test_every_help_has_an_example_of_its_command_with_options_that_there_are(name: str) -> None:
    example = HELPS[name].partition("\nExample:\n")[2].split("\n\n")[0]

    assert f"gate {name}" in " ".join(example.split())
    options = {opt for parameter in ALL[name].params for opt in parameter.opts}
    for line in example.splitlines():
        words = line.partition("gate ")[2].partition("#")[0].split()
        assert {word for word in words if word.startswith("-") and word != "-"} <= options


@pytest.mark.variants(10)
@pytest.mark.parametrize("name", ALL)
def test_every_command_has_quiet_and_color_in_its_help(gate: Run, name: str) -> None:
    help_ = gate(*name.split(), "--help").stdout

    assert "-q, --quiet" in help_
    assert "--color [auto|always|never]" in help_


def test_the_help_lists_each_command_once_under_its_section(gate: Run) -> None:
    help_ = gate("--help").stdout

    for section, lines in {**SECTIONS, "Help": PROGRAM}.items():
        listed = help_.partition(f"\n{section}:\n")[2].split("\n\n")[0]
        assert [line.split()[0] for line in listed.splitlines()] == list(lines)
    assert re.findall(r"^  (check|report) ", help_, re.MULTILINE) == ["check", "report"]
    assert re.findall(r"^  (\d+) +\S", help_, re.MULTILINE) == [
        "0",
        "1",
        "2",
        "3",
        "10",
        "11",
        "12",
        "130",
    ]


def test_every_command_says_its_exit_codes_or_has_only_one() -> None:
    silent = {"presets", "presets list", "presets file", "presets show", "schema", *PROGRAM}

    assert {name for name, text in HELPS.items() if "Exit codes:" not in text} == silent


def test_the_variables_are_those_of_commands_and_each_is_named() -> None:
    assert READ_BY.keys() <= ALL.keys()
    assert {name for names in READ_BY.values() for name in names} == VARIABLES.keys()


NO_VARIABLES = {
    # Set for git, and for pip, which gate runs.
    *("GIT_ALLOW_PROTOCOL", "GIT_TERMINAL_PROMPT", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE"),
    *("XDG_CONFIG_HOME", "LC_ALL", "PIP_USER"),
    # Of the clouds' own tools, as docs/object-stores.md says; and set for gRPC.
    *("STORAGE_EMULATOR_HOST", "GOOGLE_BASE_URL", "GOOGLE_SKIP_SIGNATURE", "GRPC_VERBOSITY"),
    # Credentials that no policy may name.
    *("DEVOPS_EXT_PAT", "AUTH_TOKEN"),
    # Signs of CI systems that gate does not know by more than these.
    *("CONTINUOUS_INTEGRATION", "BITBUCKET_BUILD_NUMBER", "CODEBUILD_BUILD_ID"),
    *("HARNESS_BUILD_ID", "TEAMCITY_VERSION", "TF_BUILD"),
    # Of other things.
    *("O_NOFOLLOW", "O_DIRECTORY", "O_BINARY", "O_NONBLOCK", "CHANGES_REQUESTED", "COLUMN_REF"),
    *("CLOCK_BOOTTIME", "CERTIFICATE_VERIFY_FAILED", "ZERO_VALUED_DENOMINATOR"),
    *("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ_NS", "TIMESTAMP_LTZ"),
    *("ALREADY_EXISTS", "DATA_LOSS", "DEADLINE_EXCEEDED", "FAILED_PRECONDITION"),
    *("INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"),
    # What SLO platforms say, and what Google is asked for.
    *("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "ALIGN_SUM", "IAM_PERMISSION_DENIED"),
    *("INSUFFICIENT_DATA", "NO_DATA", "REDUCE_SUM", "SERVICE_DISABLED", "USER_PROJECT_DENIED"),
    *("ZERO_VALUED_DENOMINATOR"),
    # DuckDB's kinds of expressions.
    *("COMPARE_BETWEEN", "COMPARE_EQUAL", "COMPARE_GREATERTHAN"),
    *("COMPARE_GREATERTHANOREQUALTO", "COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO"),
    *("COMPARE_NOTEQUAL", "CONJUNCTION_AND", "CONJUNCTION_OR", "OPERATOR_IS_NOT_NULL"),
    *("OPERATOR_IS_NULL", "OPERATOR_NOT"),
    # What a dotenv report is made of.
    *("GATE_VERDICT", "GATE_TIER", "GATE_REMAINING", "GATE_OVERRIDDEN", "GATE_EXPIRES_AT"),
    *("GATE_EXIT_CODE", "GATE_CHANGE_CLASS"),
}
NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")


def names_in_the_code() -> set[str]:
    """Return every text of the code that may be the name of an environment variable."""
    names = {"CI", "TERM", "COLUMNS", "WORKSPACE", "CIRCLECI"}
    for path in SOURCE.rglob("*.py"):
        if path.parts[len(SOURCE.parts)] == "github_action":
            continue  # its variables are those of action.yml
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names |= {node.value} if NAME.fullmatch(node.value) else set()
    return names


@pytest.mark.slow
def test_every_environment_variable_that_the_code_reads_is_named_in_some_help() -> None:
    text = " ".join(HELPS.values())
    whole = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b(?!\*)", text))
    prefixes = tuple(re.findall(r"\b([A-Z][A-Z0-9_]+_)\*", text))
    names = names_in_the_code()

    assert len(names) > len(NO_VARIABLES)
    unnamed = {name for name in names - whole if not name.startswith(prefixes)}
    assert {name for name in unnamed if not name.startswith("GIT_")} <= NO_VARIABLES


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("help",), "Usage: gate [OPTIONS] COMMAND"),
        (("help", "check"), "Usage: gate check [OPTIONS] [POLICY]..."),
        (("help", "presets", "show"), "Usage: gate presets show [OPTIONS] NAME"),
    ],
)
def test_help_shows_what_the_option_shows(gate: Run, words: tuple[str, ...], says: str) -> None:
    done = gate(*words)

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(says)
    assert done.stdout == gate(*words[1:], "--help").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("help", "chek"), "'chek' is not a command of gate; did you mean 'check'?"),
        (
            ("help", "presets", "shw"),
            "'shw' is not a command of gate presets; did you mean 'show'?",
        ),
        (("help", "check", "all"), "'all' is not a command of gate check"),
    ],
)
def test_help_of_no_command_is_a_usage_error(gate: Run, words: tuple[str, ...], says: str) -> None:
    done = gate(*words)

    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr


def test_the_version_has_three_spellings(gate: Run) -> None:
    assert gate("version").stdout == gate("--version").stdout == gate("-V").stdout
