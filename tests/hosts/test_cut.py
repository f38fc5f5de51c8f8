"""A comment that is too long still renders when it is cut."""

import re

import pytest

from gate.hosts.cut import truncate

POINTER = "_The rest is elsewhere._"


def test_a_text_that_fits_exactly_is_left_alone() -> None:
    text = "x" * 50 + "\n" + "y" * 49

    assert truncate(text, 100, POINTER) == text


def test_a_longer_text_ends_with_a_whole_line_and_the_pointer() -> None:
    text = "first\nsecond\n" + "x" * 100 + "\nlast\n"

    assert truncate(text, 100, POINTER) == f"first\nsecond\n\n{POINTER}"


def test_as_much_is_kept_as_fits() -> None:
    text = "0123456789\n" * 100

    short = truncate(text, 500, POINTER)

    assert 500 - len("0123456789\n") < len(short) <= 500


def test_a_text_of_one_line_becomes_the_pointer() -> None:
    assert truncate("x" * 200, 100, POINTER) == POINTER


@pytest.mark.parametrize(
    "opened, closed",
    [
        ("<details><summary>More</summary>", "</details>"),
        ("<DETAILS open>", "</details>"),
        ("<details>\n<pre><code>up{}", "</code>\n</pre>\n</details>"),
        ("<details>\n\n```promql", "```\n</details>"),
        ("````\n```", "````"),
        ("~~~\n```", "~~~"),
        ("```\n<details>", "```"),
        ("```\n```js", "```"),
        ("<pre>\n```", "</pre>"),
        ("<details>\n<pre>\n</pre>", "</details>"),
        ("<details>\n<pre><code>\n</pre>", "</details>"),
    ],
)
def test_what_is_open_at_the_cut_is_closed(opened: str, closed: str) -> None:
    text = f"{opened}\nkept\n" + "x" * 200

    assert truncate(text, 200, POINTER) == f"{opened}\nkept\n\n{closed}\n\n{POINTER}"


@pytest.mark.parametrize(
    "text", ["```\ncode\n```", "``````\ncode\n``````````", "<details>\n</details>", "</pre>", "a<b"]
)
def test_what_is_closed_at_the_cut_is_not_closed_again(text: str) -> None:
    assert truncate(f"{text}\nkept\n" + "x" * 200, 200, POINTER) == f"{text}\nkept\n\n{POINTER}"


@pytest.mark.variants(9)
@pytest.mark.parametrize("limit", range(30, 330, 7))
def test_no_cut_is_too_long_or_leaves_anything_open(limit: int) -> None:
    block = "<pre><code>up{}\nrate()</code></pre>"
    one = f"<details><summary>More</summary>\n\n- a\n{block}\n</details>\n"

    short = truncate(one * 20, limit, POINTER)

    assert len(short) <= limit
    assert short.endswith(POINTER)
    for tag in ("details", "summary", "pre", "code"):
        assert len(re.findall(f"<{tag}>", short)) == short.count(f"</{tag}>")
