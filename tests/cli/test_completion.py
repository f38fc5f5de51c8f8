"""``gate completion``: the scripts complete commands, options, choices and files in a shell."""

import subprocess
from pathlib import Path

import pytest

from gate.cli.main import COMMANDS, PROGRAM
from tests.cli.installed import GATE
from tests.command import Run, environment

COMPLETED = """\
PATH="$1:$PATH"
source "$2"
complete -p gate > /dev/null || exit
shift 2
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { echo FILES; }
_gate_completion gate
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""The steps of bash when the Tab key is pressed behind the last word."""


@pytest.fixture
def press_tab(gate: Run, tmp_path: Path) -> Run:
    """Press the Tab key in bash behind some words; return the lines that it completes to."""
    script = tmp_path / "gate.bash"
    assert gate("completion", "bash", "-o", str(script)).exit_code == 0

    def press(*words: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", COMPLETED, "bash", str(GATE.parent), str(script), "gate", *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]

    return press  # type: ignore[return-value]


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (("",), [*COMMANDS, *PROGRAM]),
        (("ch",), ["check"]),
        (("--qu",), ["--quiet"]),
        (("check", "--over"), ["--override", "--override-approved-by", "--override-until"]),
        (("check", "--format", "j"), ["json", "junit"]),
        (("check", "--ci", "gi"), ["github", "gitlab"]),
        (("check", "ga"), ["FILES", ""]),
        (("status", "--output", "a"), ["FILES", ""]),
        (("presets", "s"), ["show"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("help", "-"), ["--quiet", "--color", "--help"]),
    ],
)
def test_bash_completes(press_tab: Run, words: tuple[str, ...], completed: list[str]) -> None:
    given: object = press_tab(*words)

    assert isinstance(given, list)
    assert [word for word in given if word not in {"-q", "-h"}] == completed


def test_a_shell_is_reported_that_a_word_is_the_name_of_a_file(gate: Run) -> None:
    keys = {"_GATE_COMPLETE": "bash_complete", "COMP_WORDS": "gate check ga", "COMP_CWORD": "2"}

    assert gate(env=keys).stdout == "file,ga\n"


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o nosort -F _gate_completion gate"),
        ("zsh", "compdef _gate_completion gate"),
        ("fish", 'complete --no-files --command gate --arguments "(_gate_completion)"'),
    ],
)
def test_each_shell_has_its_script(gate: Run, shell: str, line: str) -> None:
    done = gate("completion", shell)

    assert (done.exit_code, done.stderr) == (0, "")
    assert line in done.stdout
    assert f"_GATE_COMPLETE={shell}_complete" in done.stdout


def test_another_shell_is_a_usage_error(gate: Run) -> None:
    done = gate("completion", "tcsh")

    assert done.exit_code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr
