"""No message shows a secret, however a server spells it, and ordinary words stay."""

import base64
import html
import json
import re
from collections.abc import Callable
from itertools import product
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.redaction import Redactor, redactable

SECRET = "tok+en/with=odd&ch<a>\"r's\\é~0"
Spell = Callable[[str], str]


def redacted(text: str, *secrets: str) -> str:
    return Redactor(redactable(secrets or (SECRET,)))(text)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def b64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def json_all(text: str) -> str:
    """Escape every character, as a server that trusts none does."""
    return (
        json.dumps(text)[1:-1].replace("/", "\\/").replace("<", "\\u003C").replace("&", "\\u0026")
    )


def fully(text: str, pattern: str) -> str:
    return "".join(pattern.format(ord(char)) for char in text)


def utf_16(text: str) -> str:
    """Escape every character; one beyond U+FFFF is a pair (RFC 8259, section 7)."""
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


SPELLINGS: dict[str, Spell] = {
    "as it is": str,
    "percent": lambda text: quote(text, safe=""),
    "percent in lower case": lambda text: re.sub(
        "%..", lambda match: match[0].lower(), quote(text, safe="")
    ),
    "percent in part": lambda text: quote(text, safe="/=&"),
    "percent of every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "form": quote_plus,
    "html": html.escape,
    "html decimal": lambda text: fully(text, "&#{};"),
    "html hex": lambda text: fully(text, "&#x{:x};"),
    "html HEX": lambda text: fully(text, "&#X{:X};"),
    "json": json_all,
    "json in ascii": json.dumps,
    "json of every character": utf_16,
    "repr": repr,
    "repr of bytes": lambda text: repr(text.encode()),
    "ascii": ascii,
    "javascript": lambda text: fully(text, "\\u{{{:x}}}"),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "base64": b64,
    "base64url": b64url,
    "base64 after one": lambda text: b64(f"u{text}"),
    "base64 after two": lambda text: b64(f"u:{text}"),
    "base64 of a login": lambda text: b64(f"user:{text}"),
    "base64 within": lambda text: b64url(f'{{"token":"{text}","more":1}}'),
    "base64 glued": lambda text: "abc" + b64(text),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "upper case": str.upper,
    "lower case": str.lower,
    "over lines": "\r\n  ".join,
    "with zero width": "\u200b".join,
}


@pytest.mark.variants(1)
@pytest.mark.parametrize("outer", SPELLINGS)
def test_a_secret_is_blotted_out_in_any_two_spellings_within_one_another(outer: str) -> None:
    for inner, spell in SPELLINGS.items():
        spelled = SPELLINGS[outer](spell(SECRET))

        shown = redacted(f"the token {spelled} is not valid")

        assert shown.startswith("the token "), inner
        assert shown.endswith(" is not valid"), inner
        assert "***" in shown, inner
        assert SECRET.lower() not in decodings(shown), inner
        assert SECRET[:12].lower() not in decodings(shown), inner


@pytest.mark.parametrize("name", ["base64", "base64url", "base64 of a login"])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_base64_in_capitals_cannot_be_decoded_and_is_recognised_all_the_same(
    name: str, case: Spell
) -> None:
    assert len(redacted(case(SPELLINGS[name](SECRET)))) <= 16


ENDINGS = ("", "...", "…", '"', '").', "[truncated]", "..., 3 more words")


@pytest.mark.variants(7)
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_secret_that_a_server_has_cut_off_is_blotted_out(name: str) -> None:
    secret = "Zq9vXk2mWt7pLr4nBd6sHf8c"
    spelled = SPELLINGS[name](secret)
    for ending, kept in product(ENDINGS, (0.4, 0.6, 0.9)):
        cut = spelled[: int(len(spelled) * kept)]

        shown = redacted(f"bad token {cut}{ending}", secret)

        assert secret[:6].lower() not in decodings(shown), shown


@pytest.mark.parametrize("name", ["as it is", "percent", "html", "json", "upper case"])
def test_the_end_of_a_secret_is_blotted_out_where_the_start_was_cut(name: str) -> None:
    spelled = SPELLINGS[name](SECRET)

    assert "ch" not in redacted(f"{spelled[7:]} is not valid").lower()
    assert "ch" not in redacted(f"bad: ...{spelled[7:]} is not valid").lower()


@pytest.mark.slow
def test_a_text_is_cut_after_it_was_redacted() -> None:
    secret = "Zq9vXk2mWt7pLr4nBd6sHf8cZq9vXk2mWt7pLr4n"

    for before in (60, 62, 95, 1_960, 1_998):
        for after in (61, 163, 199, 3_990, 5_000, 10_000):
            shown = redacted("w " * before + secret + " w" * after, secret)

            assert not re.search("Zq9vXk|HF8czq|7pLr4n", shown, re.IGNORECASE)
            assert len(shown) <= 310


def test_two_secrets_beside_and_within_one_another_are_blotted_out() -> None:
    assert redacted("a 12345678abc 12345678 b", "12345678abc", "12345678") == "a *** *** b"
    assert redacted("aaaaaaaaaaaa", "aaaaaaaa") == "***"
    assert redacted("a *********** b", "***********") == "a *** b"
    assert redacted("a *** b", "***a****") == "a *** b"


def test_what_cannot_be_shown_without_spelling_a_secret_is_not_shown() -> None:
    assert redacted("x secret-1 y", "secret-1", "x *** y ") == "***"
    assert redacted("(secret-1)(secret-1)", "secret-1", "(***)(***)") == "***"


@pytest.mark.parametrize(
    "text",
    [
        "production is not prod2, and default_tenant is no default-less one",
        "invalid parameter query: 1:15: parse error: unexpected <op:&> in 2026-11-29T03:00:00Z",
        "error 1234567 at line 12345, port 91234",
        "the tenant's limit is 500000 samples; see https://grafana.com/docs/mimir/limits/?a=b%20c",
        'found duplicate series for the match group {instance="a:9100"} on the right hand-side',
    ],
)
def test_short_secrets_leave_ordinary_messages_readable(text: str) -> None:
    shown = redacted(text, "prod", "defaul", "1234", "a", "123")

    assert shown == " ".join(text.split())


def test_a_short_secret_is_blotted_out_at_its_place_by_itself() -> None:
    assert redacted("tenant prod: no such tenant 'prod'", "prod") == (
        "tenant ***: no such tenant '***'"
    )
    assert redacted("key p&d%21 is wrong", "p&d!") == "key *** is wrong"
    assert redacted("key a b  c d is wrong", "a b  c d") == "key *** is wrong"


@pytest.mark.parametrize(
    "text",
    [
        "too many points for the step: multiple of rate(http_requests_total[5m]) exceeded",
        "400 Bad Request: bad_data: 1:1: parse error: &lt;aggr:sum&gt; %28 \\u0028 \\N \\U00110000",
        "YWJjZGVmZ2hpamtsbW5vcA== deadbeefdeadbeefdeadbeef 68656c6c6f20776f726c64",
        "&nosuch; &amp &#99999999; &#xd800; \\ud83d\\ude00 %zz %",
        "",
    ],
)
def test_a_long_secret_leaves_other_words_as_they_are(text: str) -> None:
    assert redacted(text) == text
    assert redacted(text, "") == text


def test_a_text_made_to_be_decoded_is_read_within_bounds() -> None:
    layered = SECRET
    for _ in range(12):
        layered = b64(quote(json.dumps(layered)))[:3_000]

    assert redacted(layered + " end").endswith(" end")


def test_a_secret_of_any_script_is_blotted_out_and_a_text_without_secrets_stays() -> None:
    assert redacted("κλεις ΜΥΣΤΙΚΌ-ΚΛΕΙΔΊ!", "μυστικό-κλειδί") == "κλεις ***!"
    assert redacted("x \\351cole-\\U0001F511-\\u0105 y", "école-🔑-ą") == "x *** y"
    assert redacted("caf%E9-secret %e9", "café-secret") == "*** %e9"
    assert Redactor(())("a secret-1\tb") == "a secret-1 b"


def test_what_spells_a_secret_again_and_again_is_not_shown_at_all() -> None:
    secrets = ("secret-1", "[***]aaaa", "***bbbbb", "***ccccc", "***ddddd")
    shown = redacted("a word, [secret-1]aaaabbbbbcccccddddd, more words", *secrets)

    assert shown == "***"


def test_a_secret_is_not_in_the_representation_of_what_redacts_it() -> None:
    assert SECRET not in repr(Redactor((SECRET,)))


def decodings(text: str, depth: int = 2) -> str:
    """Return all that a reader may make of a text, in lower case, by Python's own decoders."""
    level = {text, re.sub(r"\s", "", text)}
    everything = set(level)
    for _ in range(depth):
        deeper = set()
        for reading in level:
            deeper |= {unquote(reading), unquote_plus(reading), html.unescape(reading)}
            deeper.add(re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), reading))
            deeper.add(re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), reading))
            deeper.add(re.sub(r"\\(.)", r"\1", reading))
            for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", reading):
                for offset in range(4):
                    piece = run[offset:].translate(str.maketrans("-_", "+/"))
                    piece = piece[: len(piece) // 4 * 4]
                    deeper.add(base64.b64decode(piece).decode("utf-8", "replace"))
        level = deeper - everything
        everything |= level
    return "\n".join(everything).lower()


VISIBLE = st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"])
SECRETS = st.one_of(
    st.text(alphabet=VISIBLE, min_size=8, max_size=40),
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40),
)
WORDS = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


@given(
    secret=SECRETS,
    inner=st.sampled_from(sorted(SPELLINGS)),
    outer=st.sampled_from(sorted(SPELLINGS)),
    before=WORDS,
    after=WORDS,
)
def test_no_decoding_of_what_is_shown_holds_the_secret(
    secret: str, inner: str, outer: str, before: str, after: str
) -> None:
    spelled = SPELLINGS[outer](SPELLINGS[inner](secret))

    shown = redacted(before + spelled + after, secret)

    squeezed = re.sub(r"\s", "", shown)
    assert spelled not in shown
    assert secret.lower() not in decodings(shown)
    assert secret.upper() not in squeezed
