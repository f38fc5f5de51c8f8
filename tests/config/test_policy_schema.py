"""The JSON Schema of the policy file: it is what ships, and says what the reader says."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.backends import BACKENDS, registration
from gate.backends.records import preset_names
from gate.cli.first_policy import HEAD, block_of, rules_of, slos_of
from gate.cli.schema import policy_schema
from gate.config.presets import load_preset
from gate.measure import Cause
from gate.parsing.schema import FILLED_IN
from tests.config.texts import BACKEND, SLOS, TIERS, policy, read, slo
from tests.config.whole import ENVIRON, WHOLE, parsed, properties

SHIPPED: dict[str, Any] = json.loads(
    files("gate").joinpath("schemas", "policy.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SHIPPED)
FOLDER = Path(__file__).parents[2] / "policies"
READY = sorted({*FOLDER.glob("*.yaml")} - {*FOLDER.glob("*.test.yaml")})


def fits(text: str) -> bool:
    return VALIDATOR.is_valid(parsed(text))


def passes(text: str) -> bool:
    return read(text, ENVIRON)[0] is not None


def test_the_schema_that_ships_is_what_the_reader_checks() -> None:
    assert policy_schema() == SHIPPED


@pytest.mark.slow
def test_the_schema_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SHIPPED)


def test_every_key_carries_a_description() -> None:
    found = dict(properties(SHIPPED))

    assert {"/slos/sli/bad", "/backend/auth/bearer", "/changes/description"} <= set(found)
    assert [path for path, schema in found.items() if not schema.get("description")] == []


def test_every_object_says_which_other_keys_it_allows() -> None:
    blocks = [schema for _, schema in properties(SHIPPED) if schema.get("type") == "object"]

    assert blocks
    assert all("additionalProperties" in block for block in blocks)
    assert SHIPPED["additionalProperties"] is False


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_the_ready_policies_satisfy_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert fits(text)


@pytest.mark.variants(9)
@pytest.mark.parametrize(
    "text",
    [
        *(
            HEAD + block_of(starter, server) + slos_of(server) + rules_of(starter)
            for server in preset_names()
            for starter in (registration(load_preset(server).backend).starter,)
        ),
        *(
            HEAD + starter.block + starter.slos + rules_of(starter)
            for starter in (registration(kind).starter for kind in BACKENDS)
        ),
    ],
)
def test_what_init_writes_satisfies_the_schema(text: str) -> None:
    VALIDATOR.validate(parsed(Template(text).substitute(service="chat")))


def test_a_policy_with_every_key_is_accepted_by_both() -> None:
    contents, mistakes = read(WHOLE, ENVIRON)

    assert mistakes == []
    assert contents is not None
    VALIDATOR.validate(parsed(WHOLE))


WRITTEN = {"service"}
"""Keys that WHOLE has elsewhere."""


def test_that_policy_has_every_key_there_is_but_those_of_other_backends() -> None:
    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    every = {path.rpartition("/")[2] for path, _ in properties(SHIPPED)}
    # Another backend, another way to log in, another kind of indicator, more causes, and another
    # place that says what is live; and presets of one's own, which are other files.
    absent = {
        "path",
        "timestamp",
        "time_format",
        "optional",
        "format",
        "tls",
        "ca",
        "cert",
        "key",
        "column",
    }
    absent |= {"every", "cases_since", "backends"}
    absent |= {"project", "quota_project", "fips", "linked_accounts", "groups"}
    absent |= {"group", "space", "site", "api_key", "application_key", "corrections", "endpoint"}
    absent |= {"table", "where", "max_scan", "user", "database"}
    absent |= {"sslmode", "sslrootcert", "sslcert", "sslkey", "token"}
    absent |= {"series", "records", "username", "password", "password_file", "bearer_file"}
    absent |= {"gitlab-environments", "file", "presets"}
    absent |= {"groups"}  # of Pyrra's files
    # The logins of managed services.
    absent |= {"sigv4", "region", "service", "access_key", "secret_key", "session_token"} - WRITTEN
    absent |= {"oauth2", "token_url", "client_id", "client_secret", "scope", "audience"}
    absent |= {"google", "credentials_file", "azure", "tenant_id", "token_file"}
    absent |= {str(cause) for cause in Cause} - {"no_data", "stale"}
    assert every - keys(parsed(WHOLE)) == absent


@pytest.mark.variants(7)
@pytest.mark.parametrize(
    "text",
    [
        policy(more="onwers: [a]\n"),
        policy(head="version: 1\n"),
        policy(head="version: 2\nservice: x\n"),
        policy(backend=BACKEND.replace("}", ", retrys: 1}")),
        policy(backend=BACKEND.replace("prometheus,", "promethues,")),
        policy(backend=BACKEND.replace("}", ", retries: -1}")),
        policy(backend=BACKEND.replace("}", ", retries: '-1'}")),
        policy(backend=BACKEND.replace("}", ", parallel: 0}")),
        policy(backend=BACKEND.replace("}", ", auth: {bearer: hunter2}}")),
        policy(backend=BACKEND.replace("}", ", auth: {bearer: '${T:-hunter2}'}}")),
        policy(backend='backend: {type: prometheus, url: "localhost:9090"}\n'),
        policy(backend='backend: {type: prometheus, url: "http://x:9090/graph"}\n'),
        policy(backend='backend: {type: prometheus, url: "http://x:9090/a/api/v1/"}\n'),
        policy(slos="slos: []\n"),
        policy(slos=slo("objective: 99%", "window: 1d")),
        policy(slos=slo("objective: 99%", "window: 1d", "sli: {bad: a}")),
        policy(slos=slo("objective: 99%", "window: 1d", "sli: {good: a}")),
        policy(tiers=TIERS.replace("allow: all", "allow: [all]")),
        policy(tiers=TIERS.replace("allow: all", "allow: [canary, none]")),
        policy(slos="slos: {}\n"),
        policy(slos=slo("objective: 99%", "allowance: 5", "window: 1d", "sli: {bad: a, total: b}")),
        policy(slos=slo("window: 1d", "sli: {bad: a, total: b}")),
        policy(slos=slo("objective: true", "window: 1d", "sli: {bad: a, total: b}")),
        policy(slos=slo("objective: 99%", "window: {calendar: year, a: b}")),
        policy(slos=SLOS.replace("total:", "totl:")),
        policy(tiers="tiers: []\n"),
        policy(tiers=TIERS.replace("otherwise: true", "otherwise: yes")),
        policy(tiers=TIERS.replace("allow: all", "allow: al")),
        policy(tiers=TIERS.replace("allow: all", "allow:")),
        policy(more="on: {stale: ignore}\n"),
        policy(more="burn_rates: google-3d\n"),
        policy(more="changes: {mine: x}\n"),
        policy(more="dashboard: null\n"),
        policy(more="max_age: 5\n"),
        "- a\n",
    ],
)
def test_what_the_schema_can_see_is_wrong_for_both(text: str) -> None:
    assert not passes(text)
    assert not fits(text)


@pytest.mark.parametrize("url", ["HTTPS://x", "http://graph", "${URL}", "http://x/graphs"])
def test_addresses_that_are_near_those_are_right_for_both(url: str) -> None:
    text = policy(backend=f'backend: {{type: prometheus, url: "{url}"}}\n')

    assert read(text, {"URL": "http://x:9090"})[0] is not None
    assert fits(text)


SPELLINGS = {
    "burn_rates: [{long: 1h, short: 5m, rate: 14.4, effect: warn, allow: [canary]}]": [
        "google-30d",
        "[]",
        "[{long: 1h, short: 5m, rate: 14.4, effect: warn, allow: [canary]}]",
    ],
    "otherwise: TRUE": ["true", "True", "'true'"],
    'parallel: "4"': ["1", "'1'", "007"],
    'service: "42"': ["chat", "42", "1.5", "true", "'a b'", "2026-12-20"],
    "objective: 0.999": ["99.9%", "'0.999'", ".999", "99.99%"],
    "allowance: 500.5 USD": ["5", "'5'", "5.5", "1_000 USD"],
    "weight: 0.5": ["1", "1e-1", "'2'"],
    "target: 1": ["100%", "0.5"],
    "empty: bad": ["good", "left-out", "'bad'"],
    "effect: warn": ["block", "'warn'"],
    "bound: point": ["pessimistic", "optimistic"],
    "min_events: 10": ["0", "'0'"],
    "rate: 14.4": ["1", "1e1", "1/3", "'2'"],
    "allow: all, warn": ["[mine, canary], warn", "'all', warn"],
    "default: mine": ["canary"],
    "from: 2026-12-20": ["2026-12-20T10:00", "2026-12-20 10:00", "'2026-12-20'"],
}


@pytest.mark.slow
@given(st.fixed_dictionaries({was: st.sampled_from(ways) for was, ways in SPELLINGS.items()}))
def test_every_spelling_that_the_reader_accepts_satisfies_the_schema(
    spelled: dict[str, str],
) -> None:
    text = WHOLE
    for was, becomes in spelled.items():
        text = text.replace(was, f"{was.partition(':')[0]}: {becomes}")
    contents, mistakes = read(text, ENVIRON)

    assert contents is not None, mistakes
    VALIDATOR.validate(parsed(text))


VARIABLE_KEYS = {
    "prometheus": {
        "/url", "/headers/*", "/parallel", "/retries", "/auth/bearer", "/auth/bearer_file",
        "/auth/username", "/auth/password", "/auth/password_file",
        "/tls/ca", "/tls/cert", "/tls/key", "/parameters/*",
        "/auth/sigv4/region", "/auth/sigv4/service", "/auth/sigv4/access_key",
        "/auth/sigv4/secret_key", "/auth/sigv4/session_token",
        "/auth/oauth2/token_url", "/auth/oauth2/client_id", "/auth/oauth2/client_secret",
        "/auth/oauth2/scope", "/auth/oauth2/audience", "/auth/google/credentials_file",
        "/auth/azure/tenant_id", "/auth/azure/client_id", "/auth/azure/client_secret",
        "/auth/azure/token_file", "/auth/azure/scope",
    },
    "logs": {"/path"},
    "clickhouse": {
        "/url", "/user", "/password", "/database", "/retries", "/tls/ca", "/tls/cert", "/tls/key",
    },
    "postgres": {
        "/url", "/user", "/password", "/sslrootcert", "/sslcert", "/sslkey",
    },
    "spark": {"/url", "/token", "/tls/ca", "/tls/cert", "/tls/key"},
    "datadog": {"/url", "/site", "/api_key", "/application_key", "/parallel", "/retries"},
    "google-slo": {
        "/url", "/project", "/quota_project", "/retries", "/auth/bearer",
        "/auth/google/credentials_file",
    },
    "aws-slo": {"/access_key", "/region", "/retries", "/secret_key", "/session_token", "/url"},
    "cloudwatch": {"/access_key", "/region", "/retries", "/secret_key", "/session_token", "/url"},
    "elastic": {"/url", "/api_key", "/space", "/retries"},
    "evaluations": {"/path"},
    "static": {"/path"},
}  # fmt: skip
"""Where a variable may stand, by backend: README.md and SECURITY.md list them."""


def with_variables(schema: object, path: str = "") -> Iterator[str]:
    """Return the keys in whose values a variable may stand."""
    if isinstance(schema, list):
        for part in schema:
            yield from with_variables(part, path)
    if isinstance(schema, dict):
        if schema.get("$comment") == FILLED_IN:
            yield path
        for name, value in schema.get("properties", {}).items():
            yield from with_variables(value, f"{path}/{name}")
        yield from with_variables(schema.get("additionalProperties"), f"{path}/*")
        for word in ("items", "anyOf", "oneOf"):
            yield from with_variables(schema.get(word), path)


def test_each_backend_says_where_variables_may_stand_and_nothing_else_does() -> None:
    blocks = SHIPPED["properties"]["backend"]["oneOf"]
    by_backend = {
        block["properties"]["type"]["const"]: set(with_variables(block)) for block in blocks
    }
    assert by_backend == VARIABLE_KEYS
    of_several = SHIPPED["properties"]["backends"]["additionalProperties"]["oneOf"]
    assert by_backend == {
        block["properties"]["type"]["const"]: set(with_variables(block)) for block in of_several
    }
    assert {path.split("/")[1] for path in with_variables(SHIPPED)} == {"backend", "backends"}
