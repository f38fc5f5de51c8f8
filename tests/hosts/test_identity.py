"""Two gates never share a comment or a status; one gate always has the same."""

import os
from itertools import combinations
from pathlib import Path

import pytest

from gate.hosts.identity import GateIdentity, StatusLink, claimed_service, path_from_top


def identity(
    *paths: str, environment: str | None = None, key: str | None = None, name: str | None = None
) -> GateIdentity:
    return GateIdentity(
        paths=paths or ("gate.yaml",), environment=environment, key=key, status_name=name
    )


@pytest.mark.parametrize(
    "gate, services, name",
    [
        (identity(), ["chat"], "gate/chat"),
        (identity(environment="production"), ["chat"], "gate/chat/production"),
        (identity(environment="production", key="eu"), ["chat"], "gate/chat/production/eu"),
        (identity(key="eu"), ["chat"], "gate/chat//eu"),
        (identity("a/gate.yaml"), ["chat"], "gate/chat (a/gate.yaml)"),
        (identity("b.yaml", "a.yaml"), ["b", "a"], "gate/a (a.yaml), b (b.yaml)"),
        (identity("gate.yaml", "gate.yaml"), ["chat", "chat"], "gate/chat, chat"),
        (identity(), [None], "gate/(gate.yaml)"),
        (identity(), ["chat/production"], "gate/chat%2Fproduction"),
        (identity(), ["load test"], "gate/load test"),
        (identity(), [" chat "], "gate/%20chat%20"),
        (identity(), ["чат"], "gate/чат"),
        (identity(), ["chat\u200b\n"], "gate/chat%E2%80%8B%0A"),
        (identity(), ["chat 🚀"], "gate/chat %F0%9F%9A%80"),
        (identity(name="deploy gate"), [], "deploy gate"),
    ],
)
def test_the_name_of_the_status(gate: GateIdentity, services: list[str | None], name: str) -> None:
    assert gate.check_name(services) == name


ODD = (
    *("chat", "chat/production", "chat//production", "chat, search", "chat (gate.yaml)", "chat%2F"),
    *("chat ", "chat\u00a0", "chat\u200b", "chat\n", "gate", "Chat", "(gate.yaml)", "%", "x" * 300),
    *(
        "x" * 301,
        "é" * 200,
        "é" * 201,
        "\ud800",
        "🚀",
        "chat/production/eu",
        "production",
        "/",
        ",",
    ),
)


def test_no_two_gates_have_one_name_whatever_their_services_are_called() -> None:
    gates = [
        (identity(environment=environment, key=key), [service])
        for service in ODD
        for environment, key in [(None, None), ("production", None), (None, "production")]
    ]
    gates += [(identity("a/gate.yaml"), ["chat"]), (identity("a"), ["chat (gate.yaml)"])]
    gates += [(identity("a.yaml", "b.yaml"), ["chat", "search"])]
    names = [gate.check_name(services) for gate, services in gates]
    assert len({*names}) == len(names)
    assert all(len(name.encode()) <= 255 for name in names)


def test_no_two_gates_have_one_marker_or_digest() -> None:
    gates = [
        identity(),
        identity("a/gate.yaml"),
        identity("gate.yaml", "a/gate.yaml"),
        identity(environment="a"),
        identity(key="a"),
        identity(environment="a", key="a"),
        identity("gate.yaml,a"),
    ]
    for first, second in combinations(gates, 2):
        assert first.marker != second.marker
        assert first.digest != second.digest
    assert identity(environment="", key="").marker == identity().marker
    assert identity("a", "b").marker == identity("b", "a").marker


@pytest.mark.parametrize("text", ["-->", "\n<script>", "\ud800", "`@ada`", "é" * 300])
def test_a_marker_is_safe_for_any_text(text: str) -> None:
    marker = identity(text, environment=text, key=text).marker
    assert marker.startswith("<!-- gate:v2 id=")
    assert marker.count("-->") == 1
    assert marker.isascii()


@pytest.mark.parametrize(
    "path, folder, expected",
    [
        ("gate.yaml", "", "gate.yaml"),
        ("./gate.yaml", "", "gate.yaml"),
        ("a/../gate.yaml", ".", "gate.yaml"),
        ("gate.yaml", "a/", "a/gate.yaml"),
        ("a/gate.yaml", "", "a/gate.yaml"),
        ("../gate.yaml", "a", "gate.yaml"),
        ("../../gate.yaml", "a", "../gate.yaml"),
        ("ABSOLUTE", "a", "a/gate.yaml"),
    ],
)
def test_a_policy_has_one_place_however_it_is_given(path: str, folder: str, expected: str) -> None:
    given = os.path.join(Path.cwd(), "gate.yaml") if path == "ABSOLUTE" else path  # noqa: PTH118
    assert path_from_top(given, folder) == expected


@pytest.mark.parametrize(
    "text, service",
    [
        ("version: 1\nservice: chat\n", "chat"),
        ("service: 'load test'  # comment\r\n", "load test"),
        ('service: "chat"', "chat"),
        ("slos:\n  service: inner\n", None),
        ("service: \n", None),
        ("service: ''\n", None),
        ("", None),
    ],
)
def test_a_broken_policy_still_names_its_service(text: str, service: str | None) -> None:
    assert claimed_service(text) == service


def test_the_address_of_a_status_tells_its_gate_and_question() -> None:
    link = StatusLink("a" * 12, "b" * 12)
    page = "https://github.com/acme/chat/actions/runs/7"
    assert link.at(page) == f"{page}#gate-{'a' * 12}-{'b' * 12}"
    assert StatusLink.read(link.at(page) or "") == link
    assert StatusLink("a" * 12).at(f"{page}#other") == f"{page}#gate-{'a' * 12}"
    assert StatusLink.read(f"{page}#gate-{'a' * 12}") == StatusLink("a" * 12)
    assert link.at(None) is None
    assert StatusLink.read(f"{page}#gate-nothing") is None
