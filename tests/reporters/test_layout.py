from hypothesis import given
from hypothesis import strategies as st

from gate.reporters.ansi import hang, pad, text_width, wrap


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    assert text_width("模型") == 4
    assert text_width("e\u0301") == 1
    assert pad("模型", 6) == "模型  "
    assert pad("9", 4, right=True) == "   9"


@given(st.text(alphabet="ab 模%", max_size=80), st.integers(12, 40))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(text_width(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_number_stays_with_its_sign_and_a_date_with_its_time() -> None:
    assert wrap("it is about 99.9% now", 15) == ["it is about", "99.9% now"]
    assert wrap("on 2026-11-23 20:53 UTC", 20) == ["on", "2026-11-23 20:53 UTC"]


def test_no_width_is_too_small_to_wrap_to() -> None:
    assert wrap("exhausted already", 0) == ["exhausted", "already"]


def test_a_label_hangs_beside_its_lines() -> None:
    assert hang("Why", "too little is left", label_width=5, width=20) == [
        "Why    too little is",
        "       left",
    ]
