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
        "gate.yaml:2:1: error: a block of keys was expected, not an empty value",
    }


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (
            policy(more="on:\n¦\tstale: warn\n"),
            "no YAML: while scanning for the next token, found character that cannot start any"
            " token; indent with spaces, not tabs",
        ),
        (
            policy(more="owners: [a\nmax_age¦: 5m\n"),
            "no YAML: while parsing a flow sequence, did not find expected ',' or ']'",
        ),
        (policy(more="owners: ¦*team\n"), "no YAML: found undefined alias"),
        (
            policy(more="¦---\nservice: other\n"),
            "no YAML: expected a single document in the stream, but found another document",
        ),
        (
            policy(tiers=TIERS.replace('"> 50%"', "¦> 50%")),
            "no YAML: while scanning for the next token, found character that cannot start any"
            " token; put the comparison in quotes",
        ),
        (
            policy(
                tiers=TIERS.replace('{name: healthy, remaining: "> 50%", allow: all}', "x")
            ).replace("- x\n", "- name: healthy\n    remaining: >¦= 50%\n    allow: all\n"),
            "no YAML: while scanning a block scalar, did not find expected comment or line break;"
            " put the comparison in quotes",
        ),
        (
            policy(more='dashboard: "a¦\x07b"\n'),
            "no YAML: the character U+0007 may only stand there escaped",
        ),
    ],
)
def test_what_is_no_yaml_says_where_and_what_would_help(marked: str, message: str) -> None:
    assert_mistake(marked, message)


def test_a_mistake_at_the_end_of_the_file_has_its_place() -> None:
    assert_mistake(
        policy(more='dashboard: "never closed\n¦'),
        "no YAML: while scanning a quoted scalar, found unexpected end of stream",
    )


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


def test_an_alias_stands_for_what_its_anchor_has() -> None:
    same = sound(
        policy(tiers=TIERS.replace("[security", "&few [security"), more="on: {except: *few}\n")
    )

    assert same.exempt == {"security-patch", "rollback"}


def test_a_mistake_in_an_alias_is_told_once_where_the_anchor_stands() -> None:
    text = policy(
        tiers=TIERS.replace("[security-patch", "&few [¦security-pach"), more="on: {except: *few}\n"
    )

    assert_mistake(text, "'security-pach' is no change class; did you mean 'security-patch'?")


def test_an_alias_to_itself_ends() -> None:
    assert_mistake(
        policy(tiers=TIERS.replace("[security-patch, rollback]", "¦&self [*self, rollback]")),
        "a single value was expected, not a list",
    )


def test_merge_keys_are_refused_where_they_stand() -> None:
    assert_mistake(
        policy(slos=slo("objective: 99%", "window: 1d", "sli: {bad: a, total: b, ¦<<: {good: c}}")),
        f"unknown key '<<'; known: {SLI_KEYS}",
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
        f"{word!r} is neither true nor false",
    )


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "'true'"])
def test_true_may_be_written_as_yaml_1_2_has_it(word: str) -> None:
    assert (
        sound(policy(tiers=TIERS.replace("otherwise: true", f"otherwise: {word}"))).service
        == "chat"
    )


def test_a_sexagesimal_number_is_no_duration() -> None:
    assert yaml.safe_load("1:30") == 90

    assert_mistake(
        policy(more="max_age: ¦1:30\n"),
        "'1:30' is not a valid duration; write for example 30d, 6h, 5m, 1h30m or 250ms",
    )


def test_a_number_with_an_exponent_is_read_although_yaml_1_1_takes_it_for_a_word() -> None:
    assert yaml.safe_load("1e3") == "1e3"

    (rule,) = sound(policy(more="burn_rates: [{long: 1h, short: 5m, rate: 1e3}]\n")).burn_rates
    assert rule.rate == 1000


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake() -> None:
    assert sound("\ufeff" + policy().replace("\n", "\r\n")) == sound(policy())


def test_a_tag_changes_nothing_and_runs_nothing() -> None:
    text = policy(head=HEAD.replace("chat", "!!python/name:os.system chat"))

    assert sound(text).service == "chat"


def test_the_order_of_the_keys_is_free() -> None:
    assert sound(TIERS + SLOS + BACKEND + HEAD) == sound(policy())


def test_a_column_counts_characters_not_bytes() -> None:
    text = policy(slos=slo("objective: 99%", 'window: "ä" # ö', "sli: {bad: ü, total: b, ¦ä: 1}"))
    text = text.replace('"ä"', "1d")

    assert_mistake(
        text,
        f"unknown key 'ä'; known: {SLI_KEYS}",
    )
