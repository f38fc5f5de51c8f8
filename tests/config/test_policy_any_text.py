"""Whatever stands in a policy file, it is read or refused; nothing else happens."""

from collections.abc import Callable

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gate.cli.schema import policy_schema
from gate.config.load import load, validate_file
from gate.errors import PolicyError
from tests.config.whole import ENVIRON, WHOLE, parsed, properties

Check = Callable[[bytes], None]
KEYS = sorted({path.rpartition("/")[2] for path, _ in properties(policy_schema())})
WORDS = st.sampled_from(
    """all rollback 99.9% 99.9 30d month UTC ${T} ${ 2026-12-20 9999-12-31 prometheus logs static 1
    0 true google-30d 1e3 1e99 1/0 availability http://x http://[ 36525d 1_000""".split()  # noqa: SIM905
)
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
SNIPPETS = st.sampled_from(
    [
        *"\n\t []{},#|>%'\"\0\x07\ufeff\u2028💥",
        "- ",
        ": ",
        "&a ",
        "*a",
        "!!str ",
        "<<: ",
        "? ",
        "---\n",
    ]
) | st.sampled_from(["-1", "9" * 50, "${", "${X:-", "null", "1e999", ".inf"])


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Load and validate some bytes, and look whether the two agree."""
    path = tmp_path_factory.mktemp("any") / "gate.yaml"

    def both(content: bytes) -> None:
        path.write_bytes(content)
        looked = [mistake for mistake in validate_file(str(path), ENVIRON) if mistake.fatal]
        try:
            load(str(path), ENVIRON)
        except PolicyError as error:
            loaded = error.mistakes
        else:
            loaded = ()
        # Loading looks further than validating: at the files that the policy names.
        assert set(looked) <= set(loaded)
        for mistake in loaded:
            assert 1 <= mistake.line <= len(content) + 1
            assert 1 <= mistake.column <= len(content) + 1
            assert "hunter2" not in mistake.message

    return both


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(check: Check, content: bytes) -> None:
    check(content)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(check: Check, text: str) -> None:
    check(text.encode(errors="surrogatepass"))


@given(
    st.lists(
        st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 30), SNIPPETS | st.just("")),
        min_size=1,
        max_size=4,
    )
)
@example(edits=[(107, 16, ""), (115, 18, "\t")])  # which showed what a variable held
def test_a_policy_with_some_characters_changed_is_read_or_refused(
    check: Check, edits: list[tuple[int, int, str]]
) -> None:
    text = WHOLE
    for start, length, instead in edits:
        text = text[:start] + instead + text[start + length :]
    check(text.encode(errors="surrogatepass"))


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_a_policy_with_any_values_is_read_or_refused(
    check: Check, values: dict[str, object]
) -> None:
    document = {**parsed(WHOLE), **values}
    check(yaml.safe_dump(document, allow_unicode=True).encode(errors="surrogatepass"))


@pytest.mark.slow
@given(st.data())
def test_a_policy_with_one_value_replaced_anywhere_is_read_or_refused(
    check: Check, data: st.DataObject
) -> None:
    document = parsed(WHOLE)
    at: object = document
    while True:
        places = list(at) if isinstance(at, dict) else list(range(len(at)))  # type: ignore[arg-type]
        place = data.draw(st.sampled_from(places))
        inner = at[place]  # type: ignore[index]
        if not inner or not isinstance(inner, dict | list) or data.draw(st.booleans()):
            at[place] = data.draw(VALUES)  # type: ignore[index]
            break
        at = inner
    check(yaml.safe_dump(document, allow_unicode=True).encode(errors="surrogatepass"))
