"""The ``backend`` block of a policy file."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

from gate.errors import nearest
from gate.parsing.objects import Field, Object, TaggedUnion, Values
from gate.parsing.reader import OUTSIDE, Reader, UnreadableError, written
from gate.parsing.schema import JsonSchema, MapOf, Scalar, pairs
from gate.parsing.values import COUNT, LOG_FORMAT, NAME, SECRET, TEXT, ZONE
from gate.settings import LogsSettings, PrometheusSettings, Records, Settings, StaticSettings

_SECRET_WORDS: Final = ("auth", "token", "key", "secret", "cookie", "password")

_PASSWORD: Final = re.compile(r"//[^/]*:([^/]*)@")

_TYPE: Final = Field(schema=TEXT, doc="Which backend.", required=True)


def _url(text: str) -> str:
    # The text is not repeated, nor is Python's own message: there may be a password in it.
    wrong = ValueError("this is no http or https address; write http://prometheus:9090")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise wrong
    if parts.query or parts.fragment:
        raise ValueError("the address must end before /api/v1: no ? and no # belong to it")
    return text.rstrip("/")


def _file(values: Values, key: str, reader: Reader) -> Path:
    """Return where a file is, from the policy's folder; missing is a mistake, or a warning."""
    path = reader.directory / str(values.get(key))
    if not os.path.isfile(path):  # noqa: PTH113 - False, too, for a name that no file can have
        message = f"there is no file {written(values.node(key))}"
        raise reader.fail(values.node(key), message, fatal=not reader.offline)
    return path


def _secret(values: Values, name: str, reader: Reader) -> str | None:
    """Return the secret from its variable, or from its file; None where neither is given."""
    key = f"{name}_file"
    if not values.given(key):
        secret: str | None = values.get(name)
        return secret
    if values.given(name):
        raise reader.fail(values.node(key), f"{name} is given twice")
    try:
        lines = _file(values, key, reader).read_text(encoding="utf-8").strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the file cannot be read: {type(error).__name__}"
        raise reader.fail(values.node(key), message) from error
    if len(lines) != 1:
        raise reader.fail(values.node(key), "the file must hold one line, the secret")
    return lines[0]


def _build_auth(values: Values, reader: Reader) -> dict[str, str | None]:
    bearer, password = _secret(values, "bearer", reader), _secret(values, "password", reader)
    if (bearer is None) == (password is None):
        raise reader.fail(values.node(), "auth has either bearer or username with password")
    if (password is None) != (values.get("username") is None):
        raise reader.fail(values.node(), "username and password belong together")
    return {"bearer": bearer, "username": values.get("username"), "password": password}


AUTH: Final = Object(
    {
        "bearer": Field(schema=SECRET, doc="A token: ${NAME}."),
        "bearer_file": Field(schema=TEXT, doc="A file that holds the token."),
        "username": Field(schema=TEXT, doc="For basic authentication."),
        "password": Field(schema=SECRET, doc="Its password: ${NAME}."),
        "password_file": Field(schema=TEXT, doc="A file that holds the password."),
    },
    _build_auth,
)


def _build_tls(values: Values, reader: Reader) -> dict[str, Path]:
    if values.given("key") and not values.given("cert"):
        raise reader.fail(values.node("key"), "a key needs its cert")
    return {name: _file(values, name, reader) for name in values.given("ca", "cert", "key")}


TLS: Final = Object(
    {
        "ca": Field(schema=TEXT, doc="PEM file of the authorities to trust."),
        "cert": Field(schema=TEXT, doc="PEM file of the client's certificate."),
        "key": Field(schema=TEXT, doc="PEM file of its key, if not in the same file."),
    },
    _build_tls,
)


class _Headers(MapOf[str]):
    """Header names and values; those that look like secrets must come from outside."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def read(self, node: yaml.Node, reader: Reader) -> dict[str, str]:
        literal = [(key, value) for key, value in pairs(node, reader) if _is_literal(key, value)]
        for key, value in literal:
            message = f"the header {key.value} looks like a secret; write ${{NAME}}, no default"
            reader.note(value, message)
        headers = super().read(node, reader)
        if literal:
            raise UnreadableError
        return headers


def _is_literal(key: yaml.ScalarNode, value: yaml.Node) -> bool:
    """Return whether a header's name speaks of a secret, and its value does not come from outside.

    The value need not be all variable: ``Bearer ${TOKEN}``.
    """
    secret = any(word in key.value.lower() for word in _SECRET_WORDS)
    return secret and not OUTSIDE.search(written(value))


class _Address(Scalar[str]):
    """An address; a password in it must come from outside."""

    def __init__(self) -> None:
        super().__init__(_url, {"type": "string", "minLength": 1}, silent=True)

    def read(self, node: yaml.Node, reader: Reader) -> str:
        password = _PASSWORD.search(written(node))
        if password and not OUTSIDE.fullmatch(password[1]):
            message = "the password in the address does not belong in the file; write ${NAME}"
            raise reader.fail(node, message)
        return super().read(node, reader)


def _build_prometheus(values: Values, _reader: Reader) -> Settings:
    counts = {key: values.get(key) for key in values.given("parallel", "retries")}
    return PrometheusSettings(
        url=values.get("url"),
        headers=values.get("headers", {}),
        **values.get("auth", {}),
        **values.get("tls", {}),
        **counts,
    )


class _RecordsName(Scalar[str]):
    """A preset for logs; the list of them is read for the schema and for mistakes only."""

    def __init__(self) -> None:
        super().__init__(str, TEXT.json)

    def schema(self) -> JsonSchema:
        """Return an enum of the presets that know the rows of a log."""
        from gate.config.presets import record_names  # noqa: PLC0415 - reads every file

        return {"enum": record_names()}


def _known_records(values: Values, reader: Reader) -> Records:
    from gate.config.presets import load_preset, preset_names, record_names  # noqa: PLC0415

    name = values.get("records")
    records = load_preset(name).records if name in preset_names() else None
    if records is None:
        shown = written(values.node("records"))
        message = f"no preset knows the rows of {shown!r}{nearest(shown, record_names())}"
        raise reader.fail(values.node("records"), message)
    return replace(records, name=name)


def _build_logs(values: Values, reader: Reader) -> Settings:
    given = {key: values.get(key) for key in values.given("timestamp", "time_zone", "format")}
    if len(values.given("timestamp", "records")) != 1:
        message = (
            "either timestamp is given, the column of the time, or records: the preset that knows"
            " the rows"
        )
        raise reader.fail(values.node(), message)
    if values.given("records"):
        records = replace(_known_records(values, reader), **given)
    else:
        records = Records(**given)
    return LogsSettings(path=values.get("path"), directory=reader.directory, records=records)


def _build_static(values: Values, reader: Reader) -> Settings:
    return StaticSettings(path=_file(values, "path", reader))


def _at_least_one(text: str) -> int:
    if not (count := COUNT.parse(text)):
        raise ValueError("at least 1 is needed")
    return count


BACKEND: Final[TaggedUnion[Settings]] = TaggedUnion(
    "type",
    {
        "prometheus": Object(
            {
                "type": _TYPE,
                "url": Field(
                    schema=_Address(),
                    doc="The part before /api/v1; also Mimir, Thanos, VictoriaMetrics.",
                    required=True,
                ),
                "auth": Field(schema=AUTH, doc="bearer, or username and password."),
                "tls": Field(schema=TLS, doc="Own authorities, client certificate."),
                "headers": Field(schema=_Headers(), doc="Sent always: X-Scope-OrgID."),
                "parallel": Field(
                    schema=Scalar(_at_least_one, {**COUNT.json, "minimum": 1}),
                    doc="Most requests at once. Default: 8.",
                ),
                "retries": Field(schema=COUNT, doc="Tries after the first. Default: 2."),
            },
            _build_prometheus,
        ),
        "logs": Object(
            {
                "type": _TYPE,
                "path": Field(
                    schema=TEXT, doc="File or glob, from this file's folder.", required=True
                ),
                "records": Field(
                    schema=_RecordsName(), doc="The preset that knows the rows: litellm-payload."
                ),
                "timestamp": Field(schema=NAME, doc="Without records: the column of the time."),
                "time_zone": Field(schema=ZONE, doc="Of timestamps that carry none."),
                "format": Field(schema=LOG_FORMAT, doc="Default: by the file's name."),
            },
            _build_logs,
            rules={"oneOf": [{"required": ["records"]}, {"required": ["timestamp"]}]},
        ),
        "static": Object(
            {
                "type": _TYPE,
                "path": Field(schema=TEXT, doc="A JSON or YAML file of counts.", required=True),
            },
            _build_static,
        ),
    },
)
