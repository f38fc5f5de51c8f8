"""Which files a policy reads, and what they are to it."""

import hashlib
from pathlib import Path

import pytest

from gate.config.load import load
from gate.config.slo_files import FORMATS, PASSED_OVER
from gate.errors import PolicyError
from gate.hosts.git import Checkout
from gate.parsing.files import Folder, Imports
from gate.parsing.trees import CommitTree
from gate.slo.objective import CompositeSlo
from tests.config.slo_files.writing import imported, importing, mistakes_of, write
from tests.config.texts import BACKEND, policy, read
from tests.hosts.repository import begin, commit, git

NAMES = ("slos/a.yaml", "slos/.b.yaml", "slos/deep/c.yaml", "slos/d[1].yaml", "e.yml")


def pyrra(name: str, target: str = "99") -> str:
    return f"""\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {{name: {name}}}
spec:
  target: "{target}"
  window: 4w
  indicator: {{ratio: {{errors: {{metric: e}}, total: {{metric: t}}}}}}
"""


def sloth(name: str) -> str:
    events = "{error_query: 'rate(e[{{.window}}])', total_query: 'rate(t[{{.window}}])'}"
    return f"""\
version: prometheus/v1
service: chat
slos:
  - {{name: {name}, objective: 99.9, sli: {{events: {events}}}}}
"""


def test_several_formats_may_stand_beside_each_other_and_the_policys_own(tmp_path: Path) -> None:
    write(tmp_path, pyrra("one"), sloth("two"))
    own = "  - {name: own, objective: 99%, window: 1d, sli: {bad: b, total: t}}\n"
    whole = "  - {name: all, composite: [{slo: one}, {slo: chat-two}, {slo: own}]}\n"
    entries = f"slos:\n{own}  - from: slos/0.yaml\n  - from: ./slos/1.*\n{whole}"
    contents, mistakes = read(policy(slos=entries), folder=tmp_path)

    assert mistakes == []
    assert contents is not None
    assert [slo.name for slo in contents.policy.slos] == ["own", "one", "chat-two", "all"]
    assert isinstance(contents.policy.slos[-1], CompositeSlo)


def test_a_document_may_be_a_list_of_objects(tmp_path: Path) -> None:
    objects = [pyrra(name).replace("\n", "\n  ") for name in ("a", "b")]
    slos = imported(tmp_path, "".join(f"- {text}\n" for text in objects))

    assert [slo.name for slo in slos] == ["a", "b"]


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    texts = [pyrra(f"slo-{number}") for number in range(3)]

    assert [slo.name for slo in imported(tmp_path, *texts)] == ["slo-0", "slo-1", "slo-2"]


@pytest.mark.parametrize("pattern", ["slos/*.yaml", "nothing.yaml", "slos"])
def test_no_match_is_an_error(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "slos").mkdir()
    _, mistakes = read(policy(slos=f"slos:\n  - from: {pattern}\n"), folder=tmp_path)

    assert mistakes == [f"{tmp_path}/gate.yaml:5:11: error: no file matches '{pattern}'"]


@pytest.mark.parametrize("pattern", ["/etc/slos/*.yaml", "slos\\*.yaml"])
def test_a_path_starts_from_the_policys_folder(tmp_path: Path, pattern: str) -> None:
    _, mistakes = read(policy(slos=f"slos:\n  - from: {pattern}\n"), folder=tmp_path)

    assert "write it from this file's folder" in mistakes[0]


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("", "1:1", "the file is empty"),
        ("---\n---\n", "1:1", "the file is empty"),
        ("a: [", "1:4", "not valid YAML: this [ is never closed"),
        (
            "a\n",
            "1:1",
            "expected a block of keys, not a single value; write lines of the form key: value",
        ),
        (
            "- a\n",
            "1:3",
            "expected a block of keys, not a single value; write lines of the form key: value",
        ),
        ("kind: SLO\n", "1:1", "it has neither apiVersion nor, as Sloth's have, version"),
        ("apiVersion: openslo/v2alpha\n", "1:13", "did you mean 'openslo/v1alpha'?"),
        ("apiVersion: v1\nkind: ConfigMap\n", "1:13", "'v1' is not a valid value"),
        (f"{pyrra('a')}---\nversion: 2\n", "9:10", "'2' is not a valid value"),
        ("\x07", "1:1", "the character U+0007"),
    ],
)
def test_what_is_not_an_slo_file_is_an_error_with_its_place(
    tmp_path: Path, text: str, where: str, words: str
) -> None:
    (mistake,) = mistakes_of(tmp_path, text)

    assert mistake.startswith(f"slos/0.yaml:{where}: error: ")
    assert words in mistake


def test_a_file_that_is_not_a_text_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "slos" / "0.yaml").write_bytes(b"ab: \xff")
    _, (mistake,) = read(importing(), folder=tmp_path)

    assert mistake == (
        f"{tmp_path}/slos/0.yaml:1:5: error: the file is not UTF-8 text: the byte 0xFF is here;"
        " save it as UTF-8 in your editor"
    )


def test_files_without_an_slo_are_an_error(tmp_path: Path) -> None:
    service = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: chat}\nspec: {}\n"

    assert mistakes_of(tmp_path, service) == ["gate.yaml:5:12: error: these files have no SLO"]


def test_an_entry_may_name_only_what_others_refer_to(tmp_path: Path) -> None:
    service = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: chat}\nspec: {}\n"
    write(tmp_path, pyrra("a"), service)
    entries = "slos:\n  - from: slos/1.yaml\n  - from: slos/0.yaml\n"
    contents, mistakes = read(policy(slos=entries), folder=tmp_path)

    assert mistakes == []
    assert contents is not None
    assert [slo.name for slo in contents.policy.slos] == ["a"]


def test_the_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    found = mistakes_of(tmp_path, pyrra("a", "100"), sloth("¦").replace("99.9", "1"), "x: 1\n")

    assert [mistake.partition(":")[0] for mistake in found] == [
        "slos/0.yaml",
        "slos/1.yaml",
        "slos/1.yaml",
        "slos/2.yaml",
    ]


def test_a_mistake_in_the_policys_own_slos_does_not_hide_those_of_files(tmp_path: Path) -> None:
    write(tmp_path, pyrra("a", "100"))
    entries = "slos:\n  - {name: own}\n  - from: slos/0.yaml\n"
    _, mistakes = read(policy(slos=entries), folder=tmp_path)

    assert [mistake.removeprefix(f"{tmp_path}/").partition(":")[0] for mistake in mistakes] == [
        "gate.yaml",
        "slos/0.yaml",
    ]


def test_a_name_that_is_taken_is_reported_at_its_place(tmp_path: Path) -> None:
    assert mistakes_of(tmp_path, pyrra("a"), pyrra("a")) == [
        "slos/1.yaml:3:18: error: a: duplicate SLO name; names must differ"
    ]


def test_files_in_promql_go_with_no_other_backend(tmp_path: Path) -> None:
    write(tmp_path, pyrra("a"))
    other = 'backend: {type: logs, path: "*.jsonl", timestamp: at}\n'
    _, mistakes = read(importing().replace(BACKEND, other), folder=tmp_path)

    assert mistakes == [
        f"{tmp_path}/slos/0.yaml:3:18: error: a: its file has PromQL, which the logs backend does"
        " not read; set backend.type to prometheus"
    ]
    _, mistakes = read(importing().replace(BACKEND, "backend: {type: nothing}\n"), folder=tmp_path)
    assert ["is not a valid value" in mistake for mistake in mistakes] == [True]


def test_no_variable_is_filled_in_in_a_file_of_slos(tmp_path: Path) -> None:
    write(tmp_path, pyrra("a", "${TARGET:-99.5}"))
    contents, mistakes = read(importing(), {"TARGET": "99.5"}, folder=tmp_path)
    assert contents is None
    assert [mistake.partition("error: ")[2][:32] for mistake in mistakes] == [
        "${TARGET} is not filled in here:"
    ]


def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, pyrra("a"))

    def deny(_tree: Folder, _name: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Folder, "read", deny)
    _, mistakes = read(importing(), folder=tmp_path)
    assert mistakes == [
        f"{tmp_path}/gate.yaml:5:12: error: slos/0.yaml cannot be read: Permission denied"
    ]


def test_the_hash_is_what_sha256sum_prints_for_all_files(tmp_path: Path) -> None:
    texts = {"gate.yaml": importing(), "slos/0.yaml": pyrra("a"), "slos/1.yaml": sloth("b")}
    write(tmp_path, texts["slos/0.yaml"], texts["slos/1.yaml"])
    (tmp_path / "gate.yaml").write_text(texts["gate.yaml"])

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    printed = "".join(f"{digest(text)}  {name}\n" for name, text in texts.items())
    assert load(str(tmp_path / "gate.yaml"), {}).source.sha256 == digest(printed)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = begin(tmp_path / "repository")
    files = {f"gates/{name}": pyrra("a") for name in NAMES}
    commit(folder, "policy", {**files, "gates/gate.yaml": importing(), "slos/f.yaml": pyrra("f")})
    return folder


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("slos/*.yaml", ["slos/.b.yaml", "slos/a.yaml", "slos/d[1].yaml"]),
        ("slos/**/*.yaml", ["slos/.b.yaml", "slos/a.yaml", "slos/d[1].yaml", "slos/deep/c.yaml"]),
        ("slos/**", ["slos/.b.yaml", "slos/a.yaml", "slos/d[1].yaml", "slos/deep/c.yaml"]),
        ("slos/?.yaml", ["slos/a.yaml"]),
        ("slos/d[1].yaml", ["slos/d[1].yaml"]),
        ("./slos/../*.yml", ["e.yml"]),
        ("../slos/*", ["../slos/f.yaml"]),
        ("../../*", []),
        ("slos", []),
    ],
)
def test_a_folder_and_a_commit_have_the_same_files(
    repository: Path, pattern: str, names: list[str]
) -> None:
    folder = repository / "gates"
    trees = (
        Folder(folder),
        CommitTree(Checkout(folder).objects, git(repository, "rev-parse", "HEAD"), ("gates",)),
    )
    for imports in (Imports(tree=tree) for tree in trees):
        assert imports.find(pattern) == names
        assert all(b"ServiceLevelObjective" in imports.read(name) for name in names)


@pytest.mark.slow
def test_an_slo_file_that_differs_from_the_commit_makes_the_policy_modified(
    repository: Path,
) -> None:
    path = str(repository / "gates" / "gate.yaml")
    for name in ("slos/.b.yaml", "slos/d[1].yaml"):
        (repository / "gates" / name).unlink()
    commit(repository, "fewer", {})
    clean = load(path, {}).source
    assert (clean.revision, clean.modified) == (git(repository, "rev-parse", "HEAD"), False)
    (repository / "gates" / "e.yml").write_text("changed, and not read")
    assert not load(path, {}).source.modified
    (repository / "gates" / "slos" / "a.yaml").write_text(pyrra("a", "90"))
    edited = load(path, {}).source
    assert (edited.modified, edited.sha256 != clean.sha256) == (True, True)


def test_an_slo_file_that_was_deleted_makes_the_policy_modified(repository: Path) -> None:
    path = str(repository / "gates" / "gate.yaml")
    (repository / "gates" / "slos" / ".b.yaml").unlink()
    (repository / "gates" / "slos" / "d[1].yaml").unlink()
    assert load(path, {}).source.modified


def test_names_that_are_taken_are_an_error_of_the_policy(repository: Path) -> None:
    with pytest.raises(PolicyError, match="duplicate SLO name; names must differ"):
        load(str(repository / "gates" / "gate.yaml"), {})


def test_what_is_passed_over_may_be_anything() -> None:
    assert PASSED_OVER.schema.schema() == {}


def test_every_format_is_read_by_a_module(tmp_path: Path) -> None:
    for name in FORMATS:
        key = "version" if name.startswith("prometheus/") else "apiVersion"
        assert mistakes_of(tmp_path, f"{key}: {name}\n") != []
