"""A backend is one folder and one line: the toy beside this file has no other place in the gate."""

import ast
import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gate.backends import BACKENDS, Registration, Settings, registration, secrets_of
from gate.backends.logs.settings import LogsSettings
from gate.backends.prometheus.secrecy import address
from gate.backends.prometheus.settings import PrometheusSettings
from gate.backends.records import Records
from gate.backends.static import StaticSettings
from gate.cli.schema import policy_schema
from gate.redaction import Redactor
from tests.backends.toy import REGISTERED, ToySettings
from tests.backends.toy.cases import toy_command
from tests.cli.installed import POLICY
from tests.command import environment

ROOT = Path(__file__).parents[2]
TOKEN = "t0ken-of-the-toy"
TOY_POLICY = POLICY.replace(
    "{type: static, path: counts.yaml}", '{type: toy, path: counts.txt, token: "${TOY_TOKEN}"}'
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the toy's one line to the registry of this process."""
    for kind, package in REGISTERED.items():
        monkeypatch.setitem(BACKENDS, kind, package)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the gate with the toy's line in its registry."""
    return subprocess.run(
        toy_command(*arguments),
        cwd=folder,
        env=environment({"PYTHONPATH": str(ROOT), "TOY_TOKEN": TOKEN}),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def parts() -> dict[str, Any]:
    """Return what the toy's registration is made of."""
    toy = registration("toy")
    return {field.name: getattr(toy, field.name) for field in fields(toy)}


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("name", [field.name for field in fields(Registration)])
def test_a_registration_cannot_be_made_without(name: str) -> None:
    given = {key: value for key, value in parts().items() if key != name}

    assert Registration(**given, **{name: parts()[name]}) == registration("toy")
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{name}'"):
        Registration(**given)


def test_a_policy_that_names_a_new_backend_is_sound(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(TOY_POLICY)
    done = run(tmp_path, "validate", "gate.yaml")

    assert (done.returncode, done.stdout) == (0, "gate.yaml: sound\n")


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("path: counts.txt", "paht: counts.txt", "unknown key 'paht'; did you mean 'path'?"),
        ("${TOY_TOKEN}", TOKEN, "a secret must not be in the file"),
        ("type: toy", "type: toi", "'toi' is not a valid value; did you mean 'toy'?"),
        (
            "window: 30d}",
            "window: 30d, sli: {bad: a, total: b}}",
            "the toy backend does not support 'ratio' indicators; it supports: series",
        ),
        (
            "tiers:",
            "control_charts: warn\ntiers:",
            "control_charts needs a history, which the toy backend does not keep",
        ),
    ],
)
def test_a_mistake_about_a_new_backend_is_found(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    (tmp_path / "gate.yaml").write_text(TOY_POLICY.replace(right, wrong, 1))
    done = run(tmp_path, "validate", "gate.yaml")

    assert message in done.stdout
    assert TOKEN not in done.stdout + done.stderr


def test_the_doctor_examines_a_new_backend(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(TOY_POLICY)
    (tmp_path / "counts.txt").write_text("other 1 1000\n")
    done = run(tmp_path, "doctor", "gate.yaml")

    assert done.returncode == 12
    assert "no line has this name" in done.stdout


@pytest.mark.usefixtures("toy")
def test_the_schema_has_the_block_of_a_new_backend() -> None:
    *_, block = policy_schema()["properties"]["backend"]["oneOf"]

    assert block["properties"].keys() == {"type", "path", "token"}
    assert block["properties"]["type"]["const"] == "toy"
    assert block["required"] == ["type", "path", "token"]


def test_init_writes_a_policy_for_a_new_backend(tmp_path: Path) -> None:
    done = run(tmp_path, "init", "gate.yaml", "--backend", "toy")

    assert done.returncode == 0
    assert "write counts.txt" in done.stderr
    assert run(tmp_path, "validate", "gate.yaml").stdout == "gate.yaml: sound\n"


URL = "http://127.0.0.1:9"


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        (ToySettings(path=Path(), token=TOKEN), {TOKEN}),
        (StaticSettings(path=Path()), set()),
        (LogsSettings(path="*", directory=Path(), records=Records(timestamp="ts")), set()),
        (PrometheusSettings(url=URL), set()),
        (PrometheusSettings(url=URL, bearer=TOKEN), {TOKEN}),
        (
            PrometheusSettings(url=URL, username="ada", password=TOKEN),
            {TOKEN, b64encode(f"ada:{TOKEN}".encode()).decode()},
        ),
        (
            PrometheusSettings(url="http://ada:s%40cret@127.0.0.1:9/?key=query"),
            {"s%40cret", "s@cret", "query", b64encode(b"ada:s@cret").decode()},
        ),
        (PrometheusSettings(url="http://[::ada:s3cret@"), set()),
        (PrometheusSettings(url=URL, headers={"authorization": f"Bearer {TOKEN}"}), {TOKEN}),
        (PrometheusSettings(url=URL, headers={"Authorization": TOKEN}), {TOKEN}),
        (PrometheusSettings(url=URL, headers={"X-Api-Key": f"a {TOKEN}"}), {f"a {TOKEN}"}),
        (PrometheusSettings(url=URL, headers={"X-Scope-OrgID": "a-tenant"}), set()),
    ],
)
def test_the_secrets_of_settings_are_named_in_every_form(
    settings: Settings, secrets: set[str]
) -> None:
    assert set(secrets_of(settings)) == secrets
    assert not [secret for secret in secrets if secret in repr(settings)]


def test_what_is_secret_is_blotted_out_of_a_servers_words() -> None:
    headers = {"X-Api-Key": "k3y-of-the-server", "X-Scope-OrgID": "a-tenant"}
    url = "http://ada:s%40cret@127.0.0.1:9/?key=query"
    settings = PrometheusSettings(url=url, headers=headers)
    words = " ".join([*secrets_of(settings), *headers.values()])

    assert set(Redactor(address(settings).secrets)(words).split()) == {"***"}


def test_contributing_names_every_place_of_a_backend() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (written, registered) = re.findall(r"^\| a backend \| (.*) \| (.*) \|$", text, re.MULTILINE)[0]

    # The tests above show that the toy needs no other place.
    assert "one folder in `gate/backends/`" in written
    assert "`REGISTRATION`" in written
    assert registered == "`gate/backends/__init__.py`"


def switches(tree: ast.AST) -> Iterator[str]:
    """Yield what a module does only for some backend: an import of it, or a look at its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            packages = [n for n in names for p in BACKENDS.values() if f"{n}.".startswith(f"{p}.")]
            yield from packages
        elif isinstance(node, ast.Compare):
            words = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
            yield from sorted(word for word in BACKENDS if word in words)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from gate.backends.logs import LogsSettings", ["gate.backends.logs"]),
        ("from gate.backends.logs.settings import LogsSettings", ["gate.backends.logs.settings"]),
        ("import gate.backends.static", ["gate.backends.static"]),
        ("if backend.kind == 'prometheus': pass", ["prometheus"]),
        ("kind not in {'logs', 'static'}", ["logs", "static"]),
        ("from gate.backends.records import Records", []),
        ("default = backend or 'prometheus'", []),
    ],
)
def test_the_search_for_switches_on_a_backend_finds_them(text: str, found: list[str]) -> None:
    assert list(switches(ast.parse(text))) == found


@pytest.mark.slow
def test_no_other_module_knows_one_backend_from_another() -> None:
    backends = ROOT / "gate" / "backends"
    own = tuple(f"{ROOT / package.replace('.', '/')}/" for package in BACKENDS.values())
    found = {
        str(path.relative_to(ROOT)): names
        for path in sorted((ROOT / "gate").rglob("*.py"))
        # There these are the names of SQL dialects, which several backends may speak.
        if not str(path).startswith((*own, f"{backends / 'sql'}/"))
        and (names := list(switches(ast.parse(path.read_text(encoding="utf-8")))))
    }

    # Not ours: the backend that a file of slo-generator names.
    assert found == {"gate/config/slo_files/slo_generator.py": ["prometheus"]}
