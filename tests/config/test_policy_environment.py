"""``${NAME}`` in a policy, and that no secret is written in one or repeated from one."""

from collections.abc import Iterator
from itertools import cycle, product
from pathlib import Path

import pytest
import yaml

from gate.backends.prometheus.settings import PrometheusSettings
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader, UnreadableError
from gate.parsing.schema import Scalar
from gate.parsing.values import DURATION
from tests.amounts import repeats
from tests.config.texts import BACKEND, assert_mistake, places, policy, read, slo, sound
from tests.config.whole import ENVIRON, WHOLE

UNKNOWN = "not a valid environment variable; write ${NAME} or ${NAME:-default}"
LITERAL = "a secret must not be in the file; write ${NAME} and set NAME in the environment"
ADDRESS = "not a valid http or https address; write http://prometheus:9090"
FOLDER = "; paths start from the folder of gate.yaml"


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
def test_a_variable_is_filled_in_once_in_an_address(
    text: str, environ: dict[str, str], url: str
) -> None:
    backend = f'backend: {{type: prometheus, url: "{text}"}}\n'

    assert settings(policy(backend=backend), environ).url.lower() == url


@pytest.mark.parametrize("environ", [{}, {"CLASS": ""}])
def test_a_variable_that_is_not_set_or_empty_is_a_mistake(environ: dict[str, str]) -> None:
    text = prometheus("headers: {X-Tenant: ¦'${CLASS}'}")
    assert_mistake(
        text, "the environment variable CLASS is not set; set it where gate runs", environ
    )


def test_a_default_of_nothing_leaves_nothing() -> None:
    assert_mistake(
        prometheus('headers: {X-Tenant: ¦"${NAME:-}"}'),
        "the value is empty; write headers: {X-Scope-OrgID: team-a}",
    )


@pytest.mark.parametrize(
    "text", ["${}", "${1X}", "${A B}", "${A-default}", "${A", "a ${A:-b", "${${A}}"]
)
def test_what_is_not_a_variable_is_reported_and_not_repeated(text: str) -> None:
    assert_mistake(prometheus(f'headers: {{X-Tenant: ¦"{text}"}}'), UNKNOWN, {"A": "a"})


def test_dollar_window_and_labels_are_not_variables() -> None:
    query = "sum(increase(x{$labels}[$window]))"
    (one,) = sound(
        policy(slos=slo("objective: 99%", "window: 1d", f"sli: {{good: '{query}', bad: b}}"))
    ).slos

    assert query in repr(one)


@pytest.mark.parametrize("key", ["bearer", "username: me, password"])
@pytest.mark.parametrize(
    "text", ["hunter2", "${T:-hunter2}", "hunter2${T}", "${T}hunter2", "${T:-}"]
)
def test_a_secret_in_the_file_is_a_mistake_that_does_not_repeat_it(key: str, text: str) -> None:
    assert_mistake(prometheus(f'auth: {{{key}: ¦"{text}"}}'), LITERAL, {"T": "hunter3"})


@pytest.mark.parametrize(
    "keys", ["url: ¦$T", "url: ¦http://$T:9090", "url: http://x, auth: {bearer: ¦$T}"]
)
def test_a_variable_without_braces_is_reported_how_it_is_written(keys: str) -> None:
    text = policy(backend=f"backend: {{type: prometheus, {keys}}}\n")

    assert_mistake(text, "$T is not filled in; write ${T}", {"T": "hunter3"})


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
        f"the header {name} looks like a secret; write ${{NAME}}, without a default",
        {"T": "x"},
    )


def test_every_header_with_a_secret_is_reported_and_what_else_is_wrong() -> None:
    text, where = places(prometheus("headers: {Cookie: ¦a, X-Token: ¦b, X-Tenant: ¦[c]}"))

    _, mistakes = read(text)

    assert [mistake.split(": ")[0] for mistake in mistakes] == where


def test_a_header_that_is_not_a_secret_may_stand_in_the_file() -> None:
    assert settings(prometheus("headers: {X-Scope-OrgID: acme}"), {}).headers == {
        "X-Scope-OrgID": "acme"
    }


@pytest.mark.parametrize(
    "url", ["http://me:hunter2@x", "${URL:-http://me:hunter2@x}", "http://me:${P:-hunter2}@x"]
)
def test_a_password_in_an_address_must_come_from_outside(url: str) -> None:
    assert_mistake(
        policy(backend=f'backend: {{type: prometheus, url: ¦"{url}"}}\n'),
        "a password must not be in the file; write ${NAME} in its place",
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
        ("prometheus:9090", "the url has no http:// or https://; write http://prometheus:9090"),
        ("htps://me:hunter2@x", ADDRESS),
        ("http://", ADDRESS),
        ("http://me:hunter2", ADDRESS),  # a port that is none
        ("http://x:0", ADDRESS),
        ("http://x:99999", ADDRESS),
        ("http://[x", ADDRESS),
        ("http://me:hunter2@ho℀st", ADDRESS),
        ("http://x/?a=b", "url is the part before /api/v1; remove ? or # and everything behind it"),
        ("http://x/#a", "url is the part before /api/v1; remove ? or # and everything behind it"),
    ],
)
def test_an_address_that_is_none_says_so_and_is_not_repeated(url: str, message: str) -> None:
    text = policy(backend='backend: {type: prometheus, url: ¦"${URL}"}\n')

    assert_mistake(text, message, {"URL": url})


EITHER = "auth has either bearer or username with password, or one of sigv4, oauth2, google, azure"


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (
            "¦{bearer: '${T}', username: me, password: '${T}'}",
            EITHER,
        ),
        ("¦{}", EITHER),
        ("¦{username: me}", EITHER),
        ("¦{password: '${T}'}", "'username' and 'password' must be given together"),
        ("¦{bearer: '${T}', username: me}", "'username' and 'password' must be given together"),
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


def test_a_secret_that_is_given_twice_is_reported(tmp_path: Path) -> None:
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

    assert read(text)[1] == [f"{where}: error: there is no file no/{shown}{FOLDER}"]
    assert read(text, offline=True)[1] == [f"{where}: warning: there is no file no/{shown}{FOLDER}"]


def test_a_key_needs_its_certificate() -> None:
    assert_mistake(
        prometheus("tls: {key: ¦a.pem}"), "'key' needs 'cert'; add the client's certificate"
    )


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
        ("parallel: ¦many", "'many' is not a valid count; write a whole number, 0 or more"),
        ("retries: ¦-1", "'-1' is not a valid count; write a whole number, 0 or more"),
        ("retries: ¦٣", "'٣' is not a valid count; write a whole number, 0 or more"),
    ],
)
def test_counts_of_the_backend_are_checked(key: str, message: str) -> None:
    assert_mistake(prometheus(key), message)


def test_counts_of_the_backend_are_read_and_have_defaults() -> None:
    own = settings(prometheus("parallel: 1, retries: '0'"), {})
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
STATIC = policy(
    backend="backend: {type: static, path: x}\n", slos=slo("objective: 99%", "window: 1d")
)
VALUES = [
    pytest.param(number, value, marks=[pytest.mark.slow] if number else [])
    for number, value in enumerate(
        (
            "hunter2",
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
    )
]
FORMS = ("${T}", "x ${T} y", "${T:-hunter2}")
EVERY = repeats(3, explored=1)
"""Each test below tries one of so many places of a policy; together they try all of them."""


@pytest.mark.variants(1)
@pytest.mark.parametrize("number, value", VALUES)
@pytest.mark.parametrize("form, written", list(enumerate(FORMS)))
def test_a_variable_is_filled_in_in_a_connection_only_and_no_mistake_shows_it(
    number: int, value: str, form: int, written: str
) -> None:
    every = [
        (whole, *place)
        for whole in (WHOLE, FILES, LOGS, STATIC)
        for place in scalars(yaml.compose(whole))
    ]
    refused = 0
    for whole, key, node in every[(number + form) % EVERY :: EVERY]:
        before, after = whole[: node.start_mark.index], whole[node.end_mark.index :]
        contents, mistakes = read(f'{before}"{written}"{after}', ENVIRON | {"T": value})
        assert [mistake for mistake in mistakes if "hunter2" in mistake] == [], key
        if key not in CONNECTION:
            refused += 1
            place = f"gate.yaml:{node.start_mark.line + 1}:{node.start_mark.column + 1}: "
            assert contents is None, key
            assert f"{place}error: ${{T}} is not filled in here: {ONLY_THERE}" in mistakes

    assert refused > 150 / EVERY


CONNECTION = {"url", "bearer", "bearer_file", "ca", "cert", "key", "X-Scope-OrgID", "parallel"}
CONNECTION |= {"retries", "path", "namespace"}
"""Keys of whose values any part may come from outside."""
ONLY_THERE = (
    "environment variables work only in the settings of the backend's connection; write the"
    " text itself"
)


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "number, written",
    list(enumerate(["${T}", "${T:-hunter2}", "x${T:?hunter2}", "${T-hunter2}"])),
)
def test_no_variable_is_filled_in_in_a_key_and_no_mistake_shows_it(
    number: int, written: str
) -> None:
    every = [
        (whole, node)
        for whole in (WHOLE, FILES, LOGS, STATIC)
        for node in mapping_keys(yaml.compose(whole))
    ]
    for whole, node in every[number % EVERY :: EVERY]:
        before, after = whole[: node.start_mark.index], whole[node.end_mark.index :]
        contents, mistakes = read(f'{before}"{written}"{after}', ENVIRON)
        assert contents is None
        assert any("${T} in a key is not filled in" in mistake for mistake in mistakes)
        assert [mistake for mistake in mistakes if "hunter2" in mistake] == []

    assert len(every) > 150


def mapping_keys(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Return every key under a node."""
    children = node.value if isinstance(node, yaml.SequenceNode) else []
    for key, child in node.value if isinstance(node, yaml.MappingNode) else []:
        yield key
        children = [*children, child]
    for child in children:
        yield from mapping_keys(child)


def test_a_value_that_an_alias_brings_elsewhere_is_not_filled_in_there() -> None:
    backend = 'backend: {type: prometheus, url: ¦&u "${T}"}\n'
    message = f"${{T}} is not filled in here: {ONLY_THERE}"
    assert_mistake(policy(backend=backend, more="dashboard: *u\n"), message, {"T": "http://x"})


@pytest.mark.parametrize(
    "written",
    [
        "${T}", "${T:-x}", "${T-x}", "${T:?x}", "${T:+x}", "${T=x}", "a${T}", "${ T }", "${1X}",
        "$${T}", "${T}${T}", "${T.x}", "${GITHUB_TOKEN}",
    ],
)  # fmt: skip
def test_whatever_looks_like_a_variable_is_refused_where_none_may_stand(written: str) -> None:
    _, mistakes = read(policy(more=f"owners: ['{written}']\n"), {"T": "hunter2"})
    assert [ONLY_THERE in mistake for mistake in mistakes] == [True]


@pytest.mark.parametrize(
    "expression",
    [
        "sum(increase(x{$labels}[$window]))",
        'x{path=~"/v1/.*$"}',
        'x{path=~"/users/[^/]+${"}',
        'x{path=~"a${2}"}',
        'x{path=~"a${2,3}"}',
        'x{path=~"a${,3}", b="}"}',
        'x{path=~"a${", b="c}"}',
        'x{price="$5"}',
        'x{path="$HOME"}',
        'x{path="$(pwd)"}',
    ],
)
def test_dollars_of_expressions_are_not_variables(expression: str) -> None:
    text = policy(
        slos=slo("objective: 99%", "window: 1d", "sli:", f"  good: '{expression}'", "  bad: b")
    )
    (one,) = sound(text, {"HOME": "/root"}).slos
    assert expression in repr(one)


RUNNERS = [
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITHUB_PAT",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_APP_PRIVATE_KEY",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "INPUT_TOKEN",
    "RUNNER_TRACKING_TOKEN",
    "GITLAB_TOKEN",
    "GITLAB_PRIVATE_TOKEN",
    "CI_JOB_TOKEN",
    "CI_JOB_JWT",
    "CI_JOB_JWT_V2",
    "CI_REGISTRY_PASSWORD",
    "CI_DEPLOY_PASSWORD",
    "CI_REPOSITORY_URL",
    "CI_DEPENDENCY_PROXY_PASSWORD",
    "CI_SERVER_TLS_KEY_FILE",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "BUILDKITE_AGENT_JOB_API_TOKEN",
    "CIRCLE_OIDC_TOKEN",
    "CIRCLE_OIDC_TOKEN_V2",
    "CIRCLE_TOKEN",
    "SYSTEM_ACCESSTOKEN",
    "AZURE_DEVOPS_EXT_PAT",
    "JENKINS_API_TOKEN",
    "JENKINS_AGENT_SECRET",
    "BITBUCKET_STEP_OIDC_TOKEN",
    "DRONE_RPC_SECRET",
    "CI_NETRC_PASSWORD",
    "WOODPECKER_AGENT_SECRET",
    "FORGEJO_TOKEN",
    "GITEA_RUNNER_REGISTRATION_TOKEN",
    "SSH_AUTH_SOCK",
    "GIT_ASKPASS",
    "GIT_PASSWORD",
    "GATE_SIGNING_KEY",
    "GATE_ANYTHING",
    "NPM_TOKEN",
    "NODE_AUTH_TOKEN",
    "TWINE_PASSWORD",
    "CARGO_REGISTRY_TOKEN",
    "UV_PUBLISH_TOKEN",
    "DOCKER_AUTH_CONFIG",
    "DOCKER_PASSWORD",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "VAULT_TOKEN",
    "github_token",
    "Gate_Signing_Key",
    "GITHUB_TOKENS",
    "GITHUB_TOKEN_2",
]


PLACES = [
    "url: ¦'http://x/${NAME}'",
    "url: ¦'http://me:${NAME}@x'",
    "url: ¦'${NAME:-http://x}'",
    "url: http://x, headers: {X-A: ¦'a ${NAME}'}",
    "url: http://x, headers: {X-A: ¦'${TENANT}${NAME:-}'}",
    "url: http://x, auth: {bearer: ¦'${NAME}'}",
    "url: http://x, auth: {username: me, password: ¦'${NAME}'}",
    "url: http://x, auth: {username: me, password_file: ¦'${NAME}'}",
    "url: http://x, tls: {ca: ¦'${NAME}'}",
]


def assert_never_filled_in(name: str, marked: str, offline: bool) -> None:
    environ = {name: "hunter2", name.upper(): "hunter2", "TENANT": "acme"}
    backend = f"backend: {{type: prometheus, {marked.replace('NAME', name)}}}\n"
    text, (where,) = places(policy(backend=backend))

    contents, (mistake,) = read(text, environ, offline=offline)

    assert contents is None
    assert mistake.startswith(f"{where}: error: ${{{name}}} is never filled in: it is a credential")
    assert "set a variable of another name" in mistake
    assert "hunter2" not in mistake


@pytest.mark.parametrize(("name", "marked"), list(zip(RUNNERS, cycle(PLACES))))
def test_the_runners_own_credentials_are_never_filled_in(name: str, marked: str) -> None:
    assert_never_filled_in(name, marked, offline=False)


@pytest.mark.parametrize("marked", PLACES)
@pytest.mark.parametrize("offline", [False, True])
def test_in_no_place_is_a_credential_of_the_runner_filled_in(marked: str, offline: bool) -> None:
    assert_never_filled_in("GITHUB_TOKEN", marked, offline)


@pytest.mark.slow
def test_none_of_the_runners_own_credentials_is_filled_in_in_any_place() -> None:
    for name, marked, offline in product(RUNNERS, PLACES, (False, True)):
        assert_never_filled_in(name, marked, offline)


@pytest.mark.parametrize(
    "name",
    [
        "PROMETHEUS_TOKEN",
        "PROMETHEUS_URL",
        "GRAFANA_TOKEN",
        "MIMIR_PASSWORD",
        "TENANT",
        "X_SCOPE_ORGID",
        "TOKEN",
        "API_KEY",
        "CI_PROJECT_PATH",
        "CI_ENVIRONMENT_NAME",
        "CI_COMMIT_REF_NAME",
        "GITHUB_REPOSITORY",
        "GITHUB_PATH",
        "RUNNER_NAME",
        "GITHUB_REPOSITORY_OWNER",
        "CIRCLE_BRANCH",
        "BUILDKITE_BRANCH",
        "JENKINS_URL",
        "CI_SERVER_TLS_CA_FILE",
        "HOME",
        "AZURE_CLIENT_SECRET",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "DD_API_KEY",
        "ID_TOKEN",
        "MY_GITHUB_TOKEN",
        "GATEWAY_URL",
        "NPM_CONFIG_CACHE",
        "ACTION",
        "TOKEN_GITHUB",
        "CI",
        "SSHD",
        "GRAFANA_SECRET_KEY",
    ],
)
def test_variables_of_a_backend_are_filled_in_whatever_their_names(name: str) -> None:
    backend = settings(prometheus(f"headers: {{X-A: '${{{name}}}'}}"), {name: "hunter2"})
    assert backend.headers == {"X-A": "hunter2"}


def test_a_default_in_the_name_of_a_file_that_is_not_there_is_not_shown() -> None:
    text = prometheus("tls: {ca: ¦'no/${T:-hunter2}'}")
    assert_mistake(
        text, "there is no file no/${T}; paths start from the folder of gate.yaml", {"T": "hunter3"}
    )


def test_what_a_variable_of_a_new_backend_makes_wrong_is_not_repeated() -> None:
    reader = Reader(file="x", environ={"T": "hunter2"}, imports=Imports(tree=Folder(Path())))
    node = yaml.compose("'${T}'")
    assert node is not None
    with pytest.raises(UnreadableError):
        Scalar(DURATION.parse, {}, variables=True).read(node, reader)
    (mistake,) = reader.mistakes
    assert mistake.message == "the value of the environment variable is not valid here"
