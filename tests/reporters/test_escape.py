"""Foreign text stays text, wherever it is shown."""

import html
import re
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from gate.reporters.escape import block, code, link, markdown, plain

HOSTILE = st.text() | st.text(alphabet="@#!~%$&|<>`\\*_[](){}:/.-\n\r\t \x1b\u202e\u200bGHwa1\"'")
ZERO_WIDTH = "\u200b"


def shown(escaped: str) -> str:
    """Return what a reader sees and would copy."""
    return html.unescape(re.sub(r"</?(?:pre|code)>", "", escaped)).replace(ZERO_WIDTH, "")


@given(HOSTILE)
def test_plain_text_is_one_line_without_anything_that_cannot_be_seen(text: str) -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [char for char in plain(text) if unicodedata.category(char) in hidden]


def test_what_repaints_a_terminal_or_turns_the_reading_direction_is_spelt_out() -> None:
    assert plain("a\x1b[2Jb\u202ec\x9bd\x00") == r"a\x1b[2Jb\u202ec\x9bd\x00"
    assert plain("two\nlines\tand\rmore") == "two lines and more"
    assert plain("Größe 模型 ✔") == "Größe 模型 ✔"


@given(HOSTILE)
@example("@acme/team `code` | cell <!-- marker --> <b>&lt;")
@example("@@a ##1 !!2 GH-1 :tada: https://evil.example www.evil.example")
def test_markdown_shows_the_text_itself_and_holds_nothing_that_acts(text: str) -> None:
    escaped = markdown(text)
    assert not set(escaped) & set("|<>`\n\r\\*_[]~@")
    # As the sites look for them: in the text after the entities are read.
    read = html.unescape(escaped)
    assert not re.search(r"[@#!~%$&]\w|GH-\d|:[a-z+-][\w+-]*:", read, re.IGNORECASE | re.ASCII)
    assert "://" not in escaped
    assert "www." not in escaped.lower()
    assert read.replace(ZERO_WIDTH, "") == plain(text)


@given(HOSTILE)
def test_code_shows_the_text_itself_and_cannot_be_left(text: str) -> None:
    inside = code(text).removeprefix("<code>").removesuffix("</code>")
    assert not set(inside) & set("|<>`\n\r@")
    assert shown(inside) == plain(text).replace(ZERO_WIDTH, "")


@given(HOSTILE)
@example("/close\n/approve")
def test_a_block_keeps_its_lines_and_cannot_be_left_or_command(text: str) -> None:
    inside = block(text).removeprefix("<pre><code>").removesuffix("</code></pre>")
    assert not set(inside) & set("|<>`@")
    assert not re.search(r"^/", inside, re.MULTILINE)
    assert inside.count("\n") == max(len(text.splitlines()) - 1, 0)


@given(HOSTILE)
def test_only_a_web_address_becomes_a_link(text: str) -> None:
    assert "<" not in link(f"javascript:{text}")
    linked = re.fullmatch(r'<a href="([^"<>|]*)">([^<>|]*)</a>', link(f"https://{text}"))
    assert linked is not None
    assert html.unescape(linked[1]) == plain(f"https://{text}")


def test_what_is_not_a_web_address_is_shown_and_leads_nowhere() -> None:
    assert "<a " in link("https://grafana.example/d/chat")
    assert "<a " not in link("javascript:alert(1)")
