"""``${NAME}`` in a policy, and that no secret is written in one or repeated from one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gate.backends.prometheus.settings import PrometheusSettings
from tests.config.texts import BACKEND, TIERS, assert_mistake, places, policy, read, slo, sound
from tests.config.whole import ENVIRON, WHOLE

UNKNOWN = "this names no environment variable; write ${NAME} or ${NAME:-default}"
LITERAL = "a secret does not belong in the file; write only ${NAME} and set NAME outside"
ADDRESS = "this is no http or https address; write http://prometheus:9090"


def prometheus(keys: str) -> str:
    return policy(backend=f'backend: {{type: prometheus, url: "http://x", {keys}}}\n')


def settings(text: str, environ: dict[str, str]) -> PrometheusSettings:
    contents, mistakes = read(text, environ)
    assert mistakes == []
    assert contents is not None
    assert isinstance(contents.settings, PrometheusSettings)
    return contents.settings


@pytest.mark.parametrize(
    ("text", "environ", "url"),
    [
        ("${URL}", {"URL": "http://a:9090"}, "http://a:9090"),
        ("http://${HOST}:${PORT}/p/", {"HOST": "a", "PORT": "1"}, "http://a:1/p"),
        ("${URL:-http://b}", {}, "http://b"),
        ("${URL:-http://b}", {"URL": ""}, "http://b"),
        ("${URL:-http://b}", {"URL": "http://a"}, "http://a"),
        ("http://a${PATH_:-}", {}, "http://a"),
        ("${URL}", {"URL": "http://${NOT}.example"}, "http://${not}.example"),
    ],
)
def test_a_variable_is_filled_in_once_wherever_it_stands(
    text: str, environ: dict[str, str], url: str
) -> None:
    backend = f'backend: {{type: prometheus, url: "{text}"}}\n'

    assert settings(policy(backend=backend), environ).url.lower() == url


@pytest.mark.parametrize("environ", [{}, {"CLASS": ""}])
def test_a_variable_that_is_not_set_or_empty_is_a_mistake(environ: dict[str, str]) -> None:
    assert_mistake(
        policy(tiers=TIERS.replace("rollback", "rollback, ¦'${CLASS}'")),
        "the environment variable CLASS is not set",
        environ,
    )


def test_a_default_of_nothing_leaves_nothing() -> None:
    assert_mistake(policy(more='dashboard: ¦"${NAME:-}"\n'), "the value is empty")


@pytest.mark.parametrize(
    "text", ["${}", "${1X}", "${A B}", "${A-default}", "${A", "a ${A:-b", "${${A}}"]
)
def test_what_is_no_variable_is_told_and_not_repeated(text: str) -> None:
    assert_mistake(policy(more=f'dashboard: ¦"{text}"\n'), UNKNOWN, {"A": "a"})


def test_dollar_window_and_labels_are_not_variables() -> None:
    query = "sum(increase(x{$labels}[$window]))"
    (one,) = sound(
        policy(slos=slo("objective: 99%", "window: 1d", f"sli: {{good: '{query}', bad: b}}"))
    ).slos

    assert query in repr(one)


def test_a_change_class_may_come_from_a_variable() -> None:
    text = policy(tiers=TIERS.replace("rollback", "${CLASS}"), more="changes: {default: '${D}'}\n")
    text = text.replace("${CLASS}", "'${CLASS}'")

    read_policy = sound(text, {"CLASS": "rollback", "D": "canary"})

    assert read_policy.tiers[-1].allow == frozenset({"security-patch", "rollback"})
    assert read_policy.default_change == "canary"


def test_a_class_from_a_variable_that_is_unknown_is_told() -> None:
    assert_mistake(
        policy(tiers=TIERS.replace("rollback", "rollback, ¦'${CLASS}'")),
        "'${CLASS}' is no change class; known: bug-fix, canary, config-change, experiment,"
        " full-rollout, model-update, prompt-update, reliability-fix, rollback, security-patch",
        {"CLASS": "canry"},
    )


@pytest.mark.parametrize("key", ["bearer", "username: me, password"])
@pytest.mark.parametrize(
    "text", ["hunter2", "${T:-hunter2}", "hunter2${T}", "${T}hunter2", "$T", "${T:-}"]
)
def test_a_secret_in_the_file_is_a_mistake_that_does_not_repeat_it(key: str, text: str) -> None:
    assert_mistake(prometheus(f'auth: {{{key}: ¦"{text}"}}'), LITERAL, {"T": "hunter3"})


def test_a_secret_comes_from_its_variable_and_is_in_no_repr() -> None:
    backend = settings(
        prometheus('headers: {X-Api-Key: "Key ${K}"}, auth: {bearer: "${T}"}'),
        {"T": "hunter2", "K": "hunter3"},
    )

    assert (backend.bearer, backend.headers) == ("hunter2", {"X-Api-Key": "Key hunter3"})
    assert "hunter" not in repr(backend)


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Cookie", "X-AUTH-TOKEN"])
@pytest.mark.parametrize("value", ["hunter2", "Bearer hunter2", "${T:-hunter2}"])
def test_a_header_that_looks_like_a_secret_must_come_from_outside(name: str, value: str) -> None:
    assert_mistake(
        prometheus(f'headers: {{{name}: ¦"{value}"}}'),
        f"the header {name} looks like a secret; write ${{NAME}}, no default",
        {"T": "x"},
    )


def test_every_header_with_a_secret_is_told_and_what_else_is_wrong() -> None:
    text, where = places(prometheus("headers: {Cookie: ¦a, X-Token: ¦b, X-Tenant: ¦[c]}"))

    _, mistakes = read(text)

    assert [mistake.split(": ")[0] for mistake in mistakes] == where


def test_a_header_that_is_no_secret_may_stand_in_the_file() -> None:
    assert settings(prometheus("headers: {X-Scope-OrgID: acme}"), {}).headers == {
        "X-Scope-OrgID": "acme"
    }


@pytest.mark.parametrize(
    "url", ["http://me:hunter2@x", "${URL:-http://me:hunter2@x}", "http://me:${P:-hunter2}@x"]
)
def test_a_password_in_an_address_must_come_from_outside(url: str) -> None:
    assert_mistake(
        policy(backend=f'backend: {{type: prometheus, url: ¦"{url}"}}\n'),
        "the password in the address does not belong in the file; write ${NAME}",
        {"URL": "http://x", "P": "x"},
    )


@pytest.mark.parametrize("url", ["http://me:${P}@x:9090", "${URL}"])
def test_a_password_from_outside_may_be_in_an_address(url: str) -> None:
    environ = {"P": "hunter2", "URL": "http://me:hunter2@x:9090"}
    backend = settings(policy(backend=f'backend: {{type: prometheus, url: "{url}"}}\n'), environ)

    assert backend.url == "http://me:hunter2@x:9090"
    assert "hunter2" not in repr(backend)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("prometheus:9090", ADDRESS),
        ("htps://me:hunter2@x", ADDRESS),
        ("http://", ADDRESS),
        ("http://me:hunter2", ADDRESS),  # a port that is none
        ("http://x:0", ADDRESS),
        ("http://x:99999", ADDRESS),
        ("http://[x", ADDRESS),
        ("http://me:hunter2@ho℀st", ADDRESS),
        ("http://x/?a=b", "the address must end before /api/v1: no ? and no # belong to it"),
        ("http://x/#a", "the address must end before /api/v1: no ? and no # belong to it"),
    ],
)
def test_an_address_that_is_none_says_so_and_is_not_repeated(url: str, message: str) -> None:
    text = policy(backend='backend: {type: prometheus, url: ¦"${URL}"}\n')

    assert_mistake(text, message, {"URL": url})


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (
            "¦{bearer: '${T}', username: me, password: '${T}'}",
            "auth has either bearer or username with password",
        ),
        ("¦{}", "auth has either bearer or username with password"),
        ("¦{username: me}", "auth has either bearer or username with password"),
        ("¦{password: '${T}'}", "username and password belong together"),
        ("¦{bearer: '${T}', username: me}", "username and password belong together"),
    ],
)
def test_auth_is_a_bearer_or_a_username_with_its_password(auth: str, message: str) -> None:
    assert_mistake(prometheus(f"auth: {auth}"), message, {"T": "x"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file must hold one line, the secret"),
        (b" \n", "the file must hold one line, the secret"),
        (b"one\ntwo\n", "the file must hold one line, the secret"),
        (b"\xff", "the file cannot be read: UnicodeDecodeError"),
    ],
)
def test_a_secrets_file_must_hold_a_secret(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)

    assert_mistake(prometheus(f'auth: {{bearer_file: ¦"{path}"}}'), message)


def test_a_secret_is_the_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter 2\n")

    backend = settings(
        prometheus(f"auth: {{username: me, password_file: {tmp_path / 'password'}}}"), {}
    )

    assert (backend.username, backend.password, backend.bearer) == ("me", "hunter 2", None)


def test_a_secret_that_is_given_twice_is_told(tmp_path: Path) -> None:
    assert_mistake(
        prometheus(f"auth: {{bearer: '${{T}}', bearer_file: ¦{tmp_path}/x}}"),
        "bearer is given twice",
        {"T": "x"},
    )


@pytest.mark.parametrize("key", ["auth: {bearer_file", "tls: {ca"])
@pytest.mark.parametrize("name", ["missing", "a" * 300, "a\\0b"])
def test_a_file_that_is_not_there_is_an_error_and_a_warning_when_only_looking(
    key: str, name: str
) -> None:
    text, (where,) = places(prometheus(f'{key}: ¦"no/{name}"}}'))
    shown = name.replace("\\0", "\0")

    assert read(text)[1] == [f"{where}: error: there is no file no/{shown}"]
    assert read(text, offline=True)[1] == [f"{where}: warning: there is no file no/{shown}"]


def test_a_key_needs_its_certificate() -> None:
    assert_mistake(prometheus("tls: {key: ¦a.pem}"), "a key needs its cert")


def test_files_are_found_from_the_policys_folder(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).touch()
    tls = ", ".join(f"{name}: {tmp_path / name}" for name in ("ca", "cert", "key"))

    backend = settings(prometheus(f"tls: {{{tls}}}"), {})

    assert (backend.ca, backend.cert, backend.key) == tuple(
        tmp_path / name for name in ("ca", "cert", "key")
    )


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("parallel: ¦0", "at least 1 is needed"),
        ("parallel: ¦many", "'many' is no whole number, 0 or more"),
        ("retries: ¦-1", "'-1' is no whole number, 0 or more"),
        ("retries: ¦٣", "'٣' is no whole number, 0 or more"),
    ],
)
def test_counts_of_the_backend_are_checked(key: str, message: str) -> None:
    assert_mistake(prometheus(key), message)


def test_counts_of_the_backend_are_read_and_have_defaults() -> None:
    own = settings(prometheus("parallel: 1, retries: '${R}'"), {"R": "0"})
    usual = settings(policy(backend=BACKEND), {})

    assert (own.parallel, own.retries) == (1, 0)
    assert (usual.parallel, usual.retries) == (8, 2)


def scalars(node: yaml.Node | None, key: str = "") -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Return every single value under a node, with the key that it stands under."""
    if isinstance(node, yaml.ScalarNode):
        yield key, node
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from scalars(child, key)
    elif isinstance(node, yaml.MappingNode):
        for name, child in node.value:
            yield from scalars(child, name.value)


FILES = prometheus("auth: {bearer_file: token}, tls: {ca: a.pem, cert: b.pem, key: c.pem}")
LOGS = policy(
    backend="backend: {type: logs, path: x, records: nginx, time_zone: UTC, format: csv}\n"
)
VALUES = [
    "hunter2",
    *(
        pytest.param(value, marks=pytest.mark.slow)
        for value in (
            "hunter2%",
            "> hunter2",
            "-5hunter2",
            "10 hunter2",
            "/hunter2",
            "../hunter2",
            "hunter2/errors",
            "vllm/hunter2",
            "@hunter2 x",
            "2026-12-20Thunter2",
            "http://hunter2:x/",
            "a\thunter2'\"\n",
        )
    ),
]


@pytest.mark.untraced
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("written", ["${T}", "x ${T} y", "${T:-z}"])
def test_no_mistake_shows_what_a_variable_holds_wherever_it_was_put(
    value: str, written: str
) -> None:
    refused = 0
    for whole in (WHOLE, FILES, LOGS):
        root = yaml.compose(whole)
        assert root is not None
        for key, node in scalars(root):
            if key not in {"name", "service"}:  # every report shows these
                before, after = whole[: node.start_mark.index], whole[node.end_mark.index :]
                mistakes = read(f'{before}"{written}"{after}', ENVIRON | {"T": value})[1]
                refused += bool(mistakes)
                assert [mistake for mistake in mistakes if "hunter2" in mistake] == []

    assert refused > 50


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            policy(more="max_age: ¦'${T}'\n"),
            "'${T}' is no duration; write for example 30d, 6h, 5m, 1h30m or 250ms",
        ),
        (policy(slos="slos: [{from: ¦'${T}'}]\n"), "'${T}' is not what belongs here"),
    ],
)
def test_what_does_not_fit_is_shown_as_it_is_written(text: str, message: str) -> None:
    assert_mistake(text, f"filled in from the environment, {message}", {"T": "/hunter2.yaml"})
