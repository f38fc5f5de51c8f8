"""YAML itself: what is none, and what YAML 1.1 would take for something else."""

import pytest
import yaml

from gate.measure import Cause
from tests.config.texts import (
    BACKEND,
    HEAD,
    SLI_KEYS,
    SLOS,
    TIERS,
    assert_mistake,
    policy,
    read,
    slo,
    sound,
)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_a_mistake(text: str) -> None:
    _, mistakes = read(text)

    assert len(mistakes) == 1
    assert mistakes[0] in {
        "gate.yaml:1:1: error: the file is empty",
        "gate.yaml:2:1: error: expected a block of keys, not an empty value; write lines of the"
        " form key: value",
    }


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (
            policy(more="on:\n¦\tstale: warn\n"),
            "not valid YAML: use spaces, not tabs",
        ),
        (
            policy(more="owners: ¦[a\nmax_age: 5m\n"),
            "not valid YAML: this [ is never closed; add the missing ]",
        ),
        (
            policy(more="owners: ¦*team\n"),
            (
                "not valid YAML: YAML reads *team as an alias, which is not defined; put *team"
                ' in quotes: "*team"'
            ),
        ),
        (
            policy(more="¦---\nservice: other\n"),
            (
                "not valid YAML: a second document begins here; one file holds one document:"
                " remove ---"
            ),
        ),
        (
            policy(tiers=TIERS.replace('"> 50%"', "¦> 50%")),
            'not valid YAML: put > 50% in quotes: "> 50%"',
        ),
        (
            policy(
                tiers=TIERS.replace('{name: healthy, remaining: "> 50%", allow: all}', "x")
            ).replace("- x\n", "- name: healthy\n    remaining: ¦>= 50%\n    allow: all\n"),
            'not valid YAML: put >= 50% in quotes: ">= 50%"',
        ),
        (
            policy(more='dashboard: "a¦\x07b"\n'),
            (
                "not valid YAML: the character U+0007 is not allowed; remove it, or write"
                " \\x07 in double quotes"
            ),
        ),
    ],
)
def test_what_is_not_yaml_says_where_and_what_would_help(marked: str, message: str) -> None:
    assert_mistake(marked, message)


def test_a_quote_that_is_never_closed_is_found_where_it_begins() -> None:
    assert_mistake(
        policy(more='dashboard: ¦"never closed\n'), "not valid YAML: this quote is never closed"
    )


@pytest.mark.variants(2)
@pytest.mark.parametrize(("libyaml", "depth"), [(True, 20_000), (False, 1_000)])
@pytest.mark.parametrize("end", ["", "]"])
def test_deep_nesting_is_a_mistake_with_libyaml_and_without(
    monkeypatch: pytest.MonkeyPatch, *, libyaml: bool, depth: int, end: str
) -> None:
    if not libyaml:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)

    contents, mistakes = read(policy(more=f"dashboard: {'[' * depth}{end * depth}\n"))

    assert contents is None
    assert len(mistakes) == 1


def test_without_libyaml_a_policy_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with_libyaml = sound(policy())
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)

    assert sound(policy()) == with_libyaml


def test_an_alias_means_what_its_anchor_has() -> None:
    same = sound(
        policy(tiers=TIERS.replace("[security", "&few [security"), more="on: {except: *few}\n")
    )

    assert same.exempt == {"security-patch", "rollback"}


def test_a_mistake_in_an_alias_is_reported_once_where_the_anchor_stands() -> None:
    text = policy(
        tiers=TIERS.replace("[security-patch", "&few [¦security-pach"), more="on: {except: *few}\n"
    )

    assert_mistake(text, "'security-pach' is not a change class; did you mean 'security-patch'?")


def test_an_alias_to_itself_ends() -> None:
    assert_mistake(
        policy(tiers=TIERS.replace("[security-patch, rollback]", "¦&self [*self, rollback]")),
        "expected a single value, not a list; write allow: [rollback, security-patch]",
    )


def test_merge_keys_are_refused_at_their_places() -> None:
    assert_mistake(
        policy(slos=slo("objective: 99%", "window: 1d", "sli: {bad: a, total: b, ¦<<: {good: c}}")),
        "unknown key '<<'; merging blocks is not supported, so write the keys out",
    )


def test_on_is_a_key_and_not_true() -> None:
    assert yaml.safe_load("on: 1") == {True: 1}

    assert sound(policy(more="on: {stale: warn}\n")).on[Cause.STALE].value == "warn"


def test_words_that_yaml_1_1_takes_for_booleans_stay_words() -> None:
    assert yaml.safe_load("[no, off, y]")[:2] == [False, False]

    assert sound(policy(more="owners: [no, off, y, 1.0, 2026-12-20]\n")).owners == (
        "no",
        "off",
        "y",
        "1.0",
        "2026-12-20",
    )


@pytest.mark.parametrize("word", ["yes", "on", "1", "y"])
def test_only_true_and_false_are_booleans(word: str) -> None:
    assert_mistake(
        policy(tiers=TIERS.replace("otherwise: true", f"otherwise: ¦{word}")),
        f"{word!r} is not true or false; write true or false",
    )


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "'true'"])
def test_true_may_be_written_as_yaml_1_2_has_it(word: str) -> None:
    assert (
        sound(policy(tiers=TIERS.replace("otherwise: true", f"otherwise: {word}"))).service
        == "chat"
    )


def test_a_sexagesimal_number_is_not_a_duration() -> None:
    assert yaml.safe_load("1:30") == 90

    assert_mistake(
        policy(more="max_age: ¦1:30\n"),
        "'1:30' is not a valid duration; write for example 30d, 6h, 5m, 1h30m or 250ms",
    )


def test_a_number_with_an_exponent_is_read_although_yaml_1_1_takes_it_for_a_word() -> None:
    assert yaml.safe_load("1e3") == "1e3"

    (rule,) = sound(policy(more="burn_rates: [{long: 1h, short: 5m, rate: 1e3}]\n")).burn_rates
    assert rule.rate == 1000


def test_a_byte_order_mark_and_windows_line_ends_are_not_a_mistake() -> None:
    assert sound("\ufeff" + policy().replace("\n", "\r\n")) == sound(policy())


@pytest.mark.parametrize(
    ("marked", "tag"),
    [
        ("service: ¦!!python/name:os.system chat", "!!python/name:os.system"),
        ("service: ¦!secret chat", "!secret"),
        ("service: chat\nowners: ¦!!set {a}", "!!set"),
        ("service: chat\nowners: [¦!!binary YQ==]", "!!binary"),
        ("service: chat\nowners: ¦!team [a]", "!team"),
        ("¦!policy\nservice: chat", "!policy"),
    ],
)
def test_a_tag_that_plain_yaml_does_not_have_is_a_mistake_at_its_place(
    marked: str, tag: str
) -> None:
    assert_mistake(
        f"{marked}\nversion: 1\n{BACKEND}{SLOS}{TIERS}",
        f"the YAML tag {tag} is not supported; remove it and write plain YAML",
    )


def test_a_tag_of_plain_yaml_changes_nothing() -> None:
    text = policy(
        head=HEAD.replace("chat", "!!str chat"), more="owners: !!seq [&a x, *a]\nmax_age: ! 5m\n"
    )

    assert sound(text).owners == ("x", "x")


def test_the_order_of_the_keys_is_free() -> None:
    assert sound(TIERS + SLOS + BACKEND + HEAD) == sound(policy())


def test_a_column_counts_characters_not_bytes() -> None:
    text = policy(slos=slo("objective: 99%", 'window: "ä" # ö', "sli: {bad: ü, total: b, ¦ä: 1}"))
    text = text.replace('"ä"', "1d")

    assert_mistake(
        text,
        f"unknown key 'ä'; known: {SLI_KEYS}",
    )
