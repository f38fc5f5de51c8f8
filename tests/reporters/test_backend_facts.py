"""Who counted what, in the words of a page."""

from gate.reporters.ansi import Style
from gate.reporters.page import Facts
from gate.reporters.page_markdown import _labelled
from gate.reporters.summary import backend_facts
from tests.config.texts import policy, sound

PROM = "{type: prometheus, url: http://prometheus:9090}"


def slos(number: int, backend: str) -> str:
    return "".join(
        f"  - {{name: {backend}-{place}, objective: 99%, window: 30d, backend: {backend}, sli:"
        " {bad: a, total: b}}\n"
        for place in range(number)
    )


def test_a_single_backend_is_not_spoken_of() -> None:
    assert list(backend_facts(sound(policy()))) == []


def test_of_many_slos_a_page_names_some_and_says_how_many_more_there_are() -> None:
    text = policy(
        backend=f"backends: {{first: {PROM}, second: {PROM}}}\n",
        slos=f"slos:\n{slos(25, 'first')}{slos(20, 'second')}",
    )

    (_, first), (_, second) = backend_facts(sound(text))

    assert first.startswith("first (prometheus): first-0, first-1, ")
    assert first.endswith("first-18, first-19 and 5 more")
    assert second.endswith("second-18, second-19")


def test_a_comment_has_each_label_once() -> None:
    facts = Facts((("Backends", "first"), ("Backends", "second"), ("Policy", "a.yaml")), small=True)

    (line,) = _labelled(facts, Style())

    assert line == (
        "<sub>Backends: <code>first</code>, <code>second</code> · Policy: <code>a.yaml</code></sub>"
    )
