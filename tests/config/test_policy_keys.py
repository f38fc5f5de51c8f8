"""Keys that are unknown, missing, doubled or of the wrong form, at every level of a policy."""

import pytest

from tests.config.texts import (
    BACKEND,
    HEAD,
    SLI_KEYS,
    SLOS,
    TIERS,
    assert_mistake,
    places,
    policy,
    read,
    slo,
)

SLI = "sli: {bad: a, total: b}"
WINDOW = "window: 30d"
SLO_LIST = "[{name: availability, objective: 99.9%, window: 30d, sli: {preset: vllm/errors}}]"
DASHBOARD = "dashboard: https://grafana.example/d/chat"
OBJECTIVE = "objective: 99.9%"


def test_the_policy_that_the_others_vary_is_sound() -> None:
    contents, mistakes = read(policy())

    assert mistakes == []
    assert contents is not None
    assert contents.policy.service == "chat"


@pytest.mark.parametrize(
    ("marked", "key", "meant"),
    [
        (policy(more="¦onwers: [a]\n"), "onwers", "owners"),
        (policy(backend=BACKEND.replace("}", ", ¦retrys: 1}")), "retrys", "retries"),
        (
            policy(backend=BACKEND.replace("}", ", auth: {¦barer: '${T}'}}")),
            "barer",
            "bearer",
        ),
        (policy(backend=BACKEND.replace("}", ", tls: {¦cerf: a}}")), "cerf", "cert"),
        (
            policy(backend="backend: {type: logs, path: a, timestamp: ts, ¦timezone: UTC}\n"),
            "timezone",
            "time_zone",
        ),
        (policy(slos=slo(OBJECTIVE, WINDOW, SLI, "¦advisry: true")), "advisry", "advisory"),
        (policy(slos=slo(OBJECTIVE, WINDOW, "sli: {¦badd: a, total: b}")), "badd", "bad"),
        (
            policy(slos=slo(OBJECTIVE, "window: {calendar: month, ¦timezone: UTC}", SLI)),
            "timezone",
            "time_zone",
        ),
        (
            policy(
                slos=slo(OBJECTIVE, WINDOW, SLI, "timeslices: {lenght: 5m, target: 90%}")
            ).replace("{lenght: 5m,", "{length: 5m, ¦tagret: 1,"),
            "tagret",
            "target",
        ),
        (
            policy(slos=slo(OBJECTIVE, WINDOW, SLI, "sampled: {bound: point, ¦bouund: 1}")),
            "bouund",
            "bound",
        ),
        (
            policy(slos=SLOS + "  - {name: all, composite: [{slo: availability, ¦wieght: 1}]}\n"),
            "wieght",
            "weight",
        ),
        (policy(tiers=TIERS.replace("allow: all", "allow: all, ¦wran: []")), "wran", "warn"),
        (
            policy(more="burn_rates: [{long: 1h, short: 5m, rate: 2, ¦effct: warn}]\n"),
            "effct",
            "effect",
        ),
        (
            policy(more="freezes: [{from: 2026-01-01, to: 2026-01-02, reason: x, ¦alow: []}]\n"),
            "alow",
            "allow",
        ),
        (policy(more="on: {¦nodata: block}\n"), "nodata", "no_data"),
        (
            policy(more="changes: {mine: {description: x, ¦descripton: x}}\n"),
            "descripton",
            "description",
        ),
    ],
)
def test_an_unknown_key_names_its_place_and_the_nearest_known_one(
    marked: str, key: str, meant: str
) -> None:
    assert_mistake(marked, f"unknown key {key!r}; did you mean {meant!r}?")


@pytest.mark.parametrize(
    ("marked", "former", "name"),
    [
        (policy(more="exhaustion: {within: 3d, ¦verdict: warn}\n"), "verdict", "effect"),
        (policy(more="control_charts: {¦verdict: warn}\n"), "verdict", "effect"),
        (policy(more="control_charts: {¦newest: 6h}\n"), "newest", "signal_ttl"),
        (policy(more="overrides: {¦longest: 8h}\n"), "longest", "max_duration"),
        (
            policy(more="postmortems: {share: 20%, ¦records: incidents/*.yaml}\n"),
            "records",
            "known_incidents",
        ),
        (
            policy(more="postmortems: {share: 20%, known_incidents: a.yaml, ¦releases: true}\n"),
            "releases",
            "excuse_reviewed",
        ),
        (
            policy(slos=slo(OBJECTIVE, WINDOW, SLI, "sampled: {¦compare: point}")),
            "compare",
            "bound",
        ),
    ],
)
def test_a_key_that_was_renamed_is_refused_with_its_new_name_and_not_missing_as_well(
    marked: str, former: str, name: str
) -> None:
    assert_mistake(marked, f"unknown key {former!r}; it is called {name} now")


def test_an_unknown_key_that_is_near_to_none_gets_the_list_of_all() -> None:
    assert_mistake(
        policy(slos=slo(OBJECTIVE, WINDOW, "sli: {bad: a, total: b, ¦zzz: 1}")),
        f"unknown key 'zzz'; known: {SLI_KEYS}",
    )


@pytest.mark.parametrize(
    ("marked", "key", "example"),
    [
        ("¦" + policy(head="version: 1\n"), "service", "chat"),
        ("¦" + policy(head="service: chat\n"), "version", "1"),
        ("¦" + policy(backend=""), "backend", '{type: prometheus, url: "http://prometheus:9090"}'),
        (
            "¦" + policy(slos=""),
            "slos",
            "[{name: availability, objective: 99.9%, window: 30d, sli: {preset: vllm/errors}}]",
        ),
        (
            "¦" + policy(tiers=""),
            "tiers",
            '[{name: healthy, remaining: "> 50%", allow: all}, {name: exhausted, otherwise: true,'
            " allow: [rollback, security-patch]}]",
        ),
        (
            policy(backend="backend: ¦{type: prometheus}\n"),
            "url",
            "http://prometheus:9090",
        ),
        (
            policy(slos="slos:\n  - ¦objective: 99%\n    window: 1d\n"),
            "name",
            "availability",
        ),
        (
            policy(slos=slo(OBJECTIVE, "window: ¦{time_zone: UTC}", SLI)),
            "calendar",
            "month",
        ),
        (
            policy(tiers=TIERS.replace("{name: exhausted,", "¦{name: exhausted,")).replace(
                ", allow: [security-patch, rollback]", ""
            ),
            "allow",
            "[rollback, security-patch]",
        ),
        (
            policy(more="freezes: [¦{from: 2026-01-01, to: 2026-01-02}]\n"),
            "reason",
            "year end",
        ),
    ],
)
def test_a_missing_key_names_its_block_and_what_to_add(marked: str, key: str, example: str) -> None:
    assert_mistake(marked, f"the key {key!r} is missing; add {key}: {example}")


def test_a_backend_without_its_type_lists_the_types() -> None:
    assert_mistake(
        policy(backend="backend: ¦{url: 'http://x'}\n"),
        "the key 'type' is missing; its value is one of: prometheus, logs, clickhouse, postgres,"
        " spark, datadog, google-slo, aws-slo, cloudwatch, elastic, evaluations, static",
    )


def test_a_backend_type_that_is_unknown_names_the_nearest() -> None:
    assert_mistake(
        policy(backend="backend: {type: ¦promethues, url: 'http://x'}\n"),
        "'promethues' is not a valid value; did you mean 'prometheus'?",
    )


@pytest.mark.parametrize(
    ("marked", "key", "first"),
    [
        (policy(more="¦service: other\n"), "service", 2),
        (policy(slos=slo(OBJECTIVE, WINDOW, "sli: {bad: a, total: b, ¦bad: c}")), "bad", 8),
        (
            policy(
                slos=slo(OBJECTIVE, WINDOW, "sli: {bad: a, total: b, labels: {x: a,\n      ¦x: b}}")
            ),
            "x",
            8,
        ),
        (policy(more="changes:\n  canary: {}\n  ¦canary: {}\n"), "canary", 10),
    ],
)
def test_a_key_that_is_duplicated_is_a_mistake_and_names_the_first(
    marked: str, key: str, first: int
) -> None:
    assert_mistake(marked, f"duplicate key {key!r}; the first one is on line {first}")


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("¦- a\n", "expected a block of keys, not a list; write lines of the form key: value"),
        (
            "¦just words\n",
            "expected a block of keys, not a single value; write lines of the form key: value",
        ),
        (
            policy(backend="backend: ¦prometheus\n"),
            (
                "expected a block of keys, not a single value; write backend: {type:"
                ' prometheus, url: "http://prometheus:9090"}'
            ),
        ),
        (
            policy(backend="backend:¦\n"),
            (
                "expected a block of keys, not an empty value; write backend: {type: prometheus,"
                ' url: "http://prometheus:9090"}'
            ),
        ),
        (
            policy(slos="slos: ¦{}\n"),
            (
                "expected a list, not a block of keys; write slos: [{name: availability,"
                " objective: 99.9%, window: 30d, sli: {preset: vllm/errors}}]"
            ),
        ),
        (policy(more="owners: ¦me\n"), "expected a list, not a single value; write owners: [me]"),
        (
            policy(more="dashboard: ¦[a]\n"),
            f"expected a single value, not a list; write {DASHBOARD}",
        ),
        (
            policy(more="max_age: ¦{a: b}\n"),
            "expected a single value, not a block of keys; write max_age: 10m",
        ),
        (
            policy(more="? ¦[a, b]\n: c\n"),
            "a key must be a word, not a list; put text with braces in quotes",
        ),
        (
            policy(more="changes: {¦{a: b}: c}\n"),
            "a key must be a word, not a block of keys; put text with braces in quotes",
        ),
        (
            policy(tiers=TIERS.replace("[security-patch, rollback]", "[rollback, ¦[canary]]")),
            "expected a single value, not a list; write allow: [rollback, security-patch]",
        ),
        (
            policy(more="dashboard: ¦null\n"),
            f"the value is empty; write {DASHBOARD}",
        ),
        (
            policy(more="dashboard: ¦~\n"),
            f"the value is empty; write {DASHBOARD}",
        ),
        (
            policy(more='dashboard: ¦""\n'),
            f"the value is empty; write {DASHBOARD}",
        ),
        (
            policy(tiers=TIERS.replace("allow: all", "allow: ¦")),
            "the value is empty; write allow: [rollback, security-patch]",
        ),
    ],
)
def test_a_value_of_the_wrong_form_is_reported_what_was_expected(marked: str, message: str) -> None:
    assert_mistake(marked, message)


def test_the_word_null_in_quotes_is_a_word() -> None:
    contents, _ = read(policy(more='dashboard: "null"\n'))

    assert contents is not None
    assert contents.policy.dashboard == "null"


@pytest.mark.parametrize("key", ["slos", "tiers"])
def test_a_policy_without_slos_or_tiers_proves_nothing(key: str) -> None:
    parts = {"slos": SLOS, "tiers": TIERS, key: f"{key}: []\n"}

    contents, (mistake,) = read(policy(**parts))

    assert contents is None
    assert f"error: the list needs at least 1 entry; write {key}: [{{name: " in mistake


def test_mistakes_in_several_places_are_all_told_in_their_order() -> None:
    text, where = places(
        policy(
            head='version: ¦v1\nservice: ¦"-"\n¦onwers: [a]\n',
            backend="backend: {type: prometheus, url: ¦ftp://x, retries: ¦-1}\n",
            slos=slo("objective: ¦99.9", "window: ¦month"),
            tiers=TIERS.replace("> 50%", "> 50").replace('"> 50', '¦"> 50'),
            more="max_age: ¦soon\nfreezes: [¦{to: 2026-01-01, reason: x, time_zone: ¦Mars}]\n"
            "on: {except: [¦rolback]}\n",
        )
    )

    contents, mistakes = read(text)

    assert contents is None
    assert [mistake.split(": ", 1)[0] for mistake in mistakes] == where
    assert all(": error: " in mistake for mistake in mistakes)


def test_one_mistake_in_an_slo_does_not_hide_one_in_the_next() -> None:
    slos = slo("objective: 99.9", WINDOW, SLI) + slo("objective: 100%", WINDOW, SLI)[6:]

    _, mistakes = read(policy(slos=slos))

    assert len(mistakes) == 2


def test_an_unknown_version_is_refused() -> None:
    assert_mistake(
        policy(head=HEAD.replace("1", "¦2")),
        (
            "gate 0.1.0 reads version 1; this file is for a newer gate: update gate, or write"
            " version: 1"
        ),
    )
