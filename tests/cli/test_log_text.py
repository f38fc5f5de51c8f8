"""Commands write no line that a CI runner obeys, and people can read all of their output."""

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.cli.streams import write, write_line, write_stderr
from gate.reporters.escape import log_json, log_text, log_xml
from tests.attacks.obeying import obeyed

BLANKS = ["", " ", "\t", "  \t ", "\u00a0", "\u2003", "\u3000", "\x1b[1m", " \x1b[31m \x1b[0m"]
HIDDEN = ["\u200b", "\ufeff", "\x08", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1b[0K"]
ANYWHERE = [
    "##[error]x",
    "##[add-mask]x",
    "##vso[task.complete]x",
    "##teamcity[x]",
    "##TeamCity[x]",
]
AT_START = ["::error::x", "::set-output name=x::y", "::stop-commands::x", "::::"]
FOLDS = ["section_start:1:x\r\x1b[0Kx", "section_end:1:x\r\x1b[0K", "travis_fold:start:x"]
PIECES = [*":#[-+~^ \n\t\r\x1b", "[0K", "\x1b[1m", "\u200b", "::", "vso", "section_start:1:x"]
GROUPS = ["--- x", "+++ x", "~~~ x", "^^^ +++"]


@pytest.mark.crossed
@pytest.mark.parametrize("command", [*ANYWHERE, *AT_START, *FOLDS, *GROUPS])
@pytest.mark.parametrize("hidden", ["", *HIDDEN])
@pytest.mark.parametrize("paint", [True, False])
def test_no_runner_reads_a_command(command: str, hidden: str, *, paint: bool) -> None:
    for blank in BLANKS:
        for text in (
            f"{blank}{hidden}{command}",
            f"a word\n{blank}{command}",
            f"a word{hidden}{blank}{command}",
            f"{command[0]}{hidden}{command[1:]}",
            f"{command[:2]}{hidden}{command[2:]}",
            f"{blank}{hidden}{blank}{command}\nmore",
        ):
            shown = log_text(text, paint=paint)

            assert obeyed(shown) == [], (text, shown)
            assert (
                len(shown.split("\n")) == len(text.split("\n")) == len(shown.splitlines() or [""])
            )


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_runner_reads_a_command_in_any_text(text: str) -> None:
    assert obeyed(log_text(text, paint=True)) == []
    assert obeyed(log_text(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "a::b std::string ratio 1::2, see #1 and ## [x](y)",
        "## BLOCK: chat\n\n- **why**: x\n---\n| a | b |\n|---|---|\n",
        "  name   left\n  -----  ----\n  a      99.9%",
        "---\nversion: 1\n",
        "é 日本 ✔ ✖ 5% — “q”",
        "C:\\x3a\tplain",
        "",
    ],
)
def test_what_is_not_a_command_stays_as_it_is(text: str) -> None:
    assert log_text(text) == text
    assert log_text(text, paint=True) == text


def test_colours_stay_on_stdout_and_no_other_escape_does() -> None:
    assert log_text("\x1b[1;31mred\x1b[0m \x1b[2J", paint=True) == "\x1b[1;31mred\x1b[0m \\x1b[2J"
    assert log_text("\x1b[1;31mred") == "\\x1b[1;31mred"


@pytest.mark.parametrize("command", [*ANYWHERE, *FOLDS, "###[[x"])
def test_documents_say_the_same_without_the_command(command: str) -> None:
    document = json.dumps({"a": command}, indent=2)
    root = ET.Element("a", name=command.replace("\r\x1b", ""))
    root.text = root.get("name")
    xml = ET.tostring(root, encoding="unicode")

    assert json.loads(log_json(document)) == {"a": command}
    assert obeyed(log_json(document)) == []
    assert ET.canonicalize(log_xml(xml)) == ET.canonicalize(xml)
    assert obeyed(log_xml(xml)) == []


def test_both_streams_are_written_by_way_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    write("a\n  ::error::x\n")
    write('{"a": "##[x"}\n', "json")
    write("<a>##[x</a>\n", "junit")
    write("::error::meant\n", "github")
    write_line("HOLDS a\nHOLDS b")
    write_stderr("a\n::error::x ##[y")

    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "a",
        r"  \x3a:error::x",
        r'{"a": "\u0023#[x"}',
        "<a>&#35;#[x</a>",
        "::error::meant",
        "HOLDS a HOLDS b",
    ]
    assert err == "a\n\\x3a:error::x \\x23#[y\n"
