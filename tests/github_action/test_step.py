"""The files that a step writes for the runner to read."""

from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.github_action.step import SUMMARY_BYTES, Step, within
from tests.github_action.doing import read_back

ANY_TEXT = st.text(st.characters(), max_size=200)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    names = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    return Step({name: str(tmp_path / name) for name in names}, StringIO())


def logged(step: Step) -> str:
    assert isinstance(step.log, StringIO)
    return step.log.getvalue()


@given(value=ANY_TEXT)
def test_an_output_is_read_back_as_it_was_and_sets_no_other(
    tmp_path_factory: pytest.TempPathFactory, value: str
) -> None:
    path = tmp_path_factory.mktemp("step") / "outputs"
    outputs = {"verdict": value, "tier": f"{value}\nverdict=allow\nverdict<<x\nallow\nx\n"}
    Step({"GITHUB_OUTPUT": str(path)}, StringIO()).set_outputs(outputs)
    assert read_back(path.read_bytes().decode()) == {
        name: text.encode("utf-8", "replace").decode() for name, text in outputs.items()
    }


def test_outputs_are_added_to_those_that_are_there(step: Step, tmp_path: Path) -> None:
    step.set_outputs({"a": "1"})
    step.set_outputs({"b": "2"})
    assert read_back((tmp_path / "GITHUB_OUTPUT").read_text()) == {"a": "1", "b": "2"}


@given(message=ANY_TEXT)
def test_an_annotation_is_one_line(message: str) -> None:
    step = Step({}, StringIO())
    step.annotate("error", message)
    line = logged(step)
    assert line.startswith("::error title=gate::")
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert "\r" not in line
    told = line.removeprefix("::error title=gate::").removesuffix("\n")
    assert told.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%") == message


def test_a_secret_with_lines_is_masked_as_a_whole(step: Step) -> None:
    step.mask("a\nb%")
    assert logged(step) == "::add-mask::a%0Ab%25\n"


def test_foreign_text_stands_between_a_stop_and_a_go_that_nobody_can_guess(step: Step) -> None:
    for _ in range(2):
        with step.foreign():
            step.say("::error::mine")
    first, _, _, end, second, *_ = logged(step).splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) >= 32
    assert end == f"::{token}::"
    assert second != first


def test_commands_work_again_when_foreign_text_broke_off(step: Step) -> None:
    with pytest.raises(KeyboardInterrupt), step.foreign():
        raise KeyboardInterrupt
    first, *_, last = logged(step).splitlines()
    assert last == f"::{first.removeprefix('::stop-commands::')}::"


@pytest.mark.parametrize("character", ["a", "ü", "é\u0301", "漢", "🚦"])
def test_a_summary_never_has_more_bytes_than_are_shown(
    step: Step, tmp_path: Path, character: str
) -> None:
    step.summarize("# Head\n" + f"{character * 40}\n" * 40_000)
    written = (tmp_path / "GITHUB_STEP_SUMMARY").read_bytes()
    assert 0.2 * SUMMARY_BYTES < len(written) <= SUMMARY_BYTES
    assert written.startswith(b"# Head\n")
    assert b"_Cut here" in written[-200:]


def test_a_short_summary_is_whole(step: Step, tmp_path: Path) -> None:
    step.summarize("# Head")
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text() == "# Head\n"


@given(st.text(max_size=2_000), st.integers(400, 4_000))
def test_whatever_is_cut_fits(text: str, most: int) -> None:
    assert len(within(text, most).encode()) <= most


@pytest.mark.parametrize("environ", [{}, {"GITHUB_OUTPUT": "/no/such/folder/file"}])
def test_outputs_that_cannot_be_written_are_a_warning(environ: dict[str, str]) -> None:
    step = Step(environ, StringIO())
    step.set_outputs({"a": "1"})
    assert logged(step).startswith("::warning title=gate::GITHUB_OUTPUT cannot be written: ")
