"""Preset files that a policy brings along: what they become, and what is wrong with them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gate.backends.logs.settings import LogsSettings
from gate.backends.records import COLUMN_TYPE, preset_names
from gate.config.load import digest_of, load, load_pinned
from gate.config.own_presets import presets_beside, presets_of
from gate.config.policy_contents import Contents
from gate.config.policy_schema import parse
from gate.errors import PolicyError
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader
from gate.slo.indicator import Sli
from gate.slo.objective import RatioSlo
from tests.config.texts import HEAD, TIERS, policy, read, slo

OURS = """\
title: Our gateway
about: what stands in front of our models
backend: prometheus
labels: [pool]
notes: [It counts what leaves it.]
sources: [our-gateway 1.2, metrics.go]
indicators:
  errors:
    about: requests that ended in an error
    families:
      - bad: acme_requests_total{outcome="error",$canaries,$labels}
        total: acme_requests_total{$canaries,$labels}
    options:
      canaries:
        about: requests of the canary
        default: included
        choices: {included: '', excluded: 'canary!="1"'}
  latency:
    about: requests answered within the threshold
    families:
      - {histogram: 'acme_duration_seconds{$labels}', unit: s, boundaries: [1, 2]}
    threshold: 2s
"""
LOG = """\
title: Our log
about: one line a request
backend: logs
records: {timestamp: at, columns: {code: BIGINT, tags: 'MAP(VARCHAR, VARCHAR)'}}
sources: [our-logger 2]
indicators:
  errors: {about: requests that failed, families: [{bad: code >= 500, total: 'true'}]}
"""
ERRORS = slo("objective: 99%", "window: 30d", "sli: {preset: our-gateway/errors}")
NAMED = "presets: presets/*.yaml\n"


def put(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put(tmp_path, {"presets/our-gateway.yaml": OURS, "presets/our-log.yaml": LOG})


def said(folder: Path, text: str, offline: bool = False) -> list[str]:
    """Return the mistakes, without the folder."""
    _, mistakes = read(text, folder=folder, offline=offline)
    return [mistake.removeprefix(f"{folder}/") for mistake in mistakes]


def only_sli(contents: Contents | None) -> Sli:
    assert contents is not None
    (one,) = contents.policy.slos
    assert isinstance(one, RatioSlo)
    return one.sli


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_preset_of_the_policys_own_is_named_by_its_file(folder: Path, where: str) -> None:
    text = policy(slos=ERRORS)
    text = NAMED + text if where == "before" else text + NAMED

    contents, mistakes = read(text, folder=folder)

    assert mistakes == []
    sli = only_sli(contents)
    assert (sli.bad, sli.total) == (
        'acme_requests_total{outcome="error",,$labels}',
        "acme_requests_total{,$labels}",
    )
    assert sli.preset == "our-gateway/errors"
    assert contents is not None
    assert contents.presets.keys() == {"our-gateway", "our-log"}


def test_several_globs_may_name_a_file_twice(folder: Path) -> None:
    named = "presets: [presets/our-*.yaml, presets/our-gateway.yaml]\n"

    assert said(folder, policy(slos=ERRORS) + named) == []


def test_rows_of_a_log_of_ones_own_are_known_to_the_backend(folder: Path) -> None:
    backend = "backend: {type: logs, path: a.jsonl, records: our-log}\n"
    slos = slo("objective: 99%", "window: 30d", "sli: {preset: our-log/errors}")

    contents, mistakes = read(policy(backend=backend, slos=slos) + NAMED, folder=folder)

    assert mistakes == []
    assert contents is not None
    assert isinstance(contents.settings, LogsSettings)
    records = contents.settings.records
    assert (records.name, records.timestamp) == ("our-log", "at")
    assert records.columns == {"code": "BIGINT", "tags": "MAP(VARCHAR, VARCHAR)"}


@pytest.mark.parametrize(
    ("sli", "message"),
    [
        (
            "{preset: our-gatewai/errors}",
            "there is no preset 'our-gatewai'; did you mean 'our-gateway'?",
        ),
        (
            "{preset: our-gateway/error}",
            "our-gateway has no indicator 'error'; did you mean 'errors'?",
        ),
        (
            "{preset: our-gateway/spend}",
            "Our gateway has no signal for spend: the preset's file does not mention it",
        ),
        (
            "{preset: our-gateway/latency}",
            "the key 'threshold' is missing; add for example threshold: 2s",
        ),
        (
            "{preset: our-log/errors}",
            "the preset our-log/errors is for the logs backend",
        ),
    ],
)
def test_what_is_wrong_with_its_use_is_reported_as_of_any_preset(
    folder: Path, sli: str, message: str
) -> None:
    slos = slo("objective: 99%", "window: 30d", f"sli: {sli}")

    (mistake,) = said(folder, policy(slos=slos) + NAMED)

    assert message in mistake


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ("our-gateway", "no preset knows the rows of 'our-gateway'; known: "),
        ("our-lock", "no preset knows the rows of 'our-lock'; did you mean 'our-log'?"),
    ],
)
def test_a_preset_without_rows_is_none_for_a_log(folder: Path, records: str, message: str) -> None:
    backend = f"backend: {{type: logs, path: a.jsonl, records: {records}}}\n"

    mistakes = said(folder, policy(backend=backend, slos=ERRORS) + NAMED)

    assert [mistake for mistake in mistakes if message in mistake]


@pytest.mark.parametrize(
    ("file", "text", "mistake"),
    [
        (
            "presets/vllm.yaml",
            OURS,
            "presets/vllm.yaml:1:1: error: the gate itself has a preset 'vllm'; give this file"
            " another name",
        ),
        (
            "presets/more/our-gateway.yaml",
            OURS,
            "presets/our-gateway.yaml:1:1: error: another file of the policy has a preset"
            " 'our-gateway'; give this file another name",
        ),
        (
            "presets/Our_Server.yaml",
            OURS,
            "presets/Our_Server.yaml:1:1: error: the name of a preset is that of its file:"
            " lower-case words"
            " with - between them, such as our-gateway.yaml",
        ),
        (
            "presets/our-server.yaml",
            OURS + "notices: [a]\n",
            "presets/our-server.yaml:23:1: error: unknown key 'notices'; did you mean",
        ),
        (
            "presets/our-server.yaml",
            OURS.replace('{outcome="error",', '{outcome="error,'),
            "presets/our-server.yaml:11:14: error: errors: bad: ",
        ),
        (
            "presets/our-server.yaml",
            OURS.replace('canary!="1"', 'canary!="1'),
            "presets/our-server.yaml:11:14: error: errors: bad: ",
        ),
        (
            "presets/our-server.yaml",
            OURS.replace("acme_duration_seconds{$labels}", "sum(acme_duration_seconds)"),
            "presets/our-server.yaml:21:21: error: latency: histogram: a metric's name is expected"
            " here",
        ),
        (
            "presets/our-server.yaml",
            LOG.replace("BIGINT", "BIGINT); SELECT (1"),
            "presets/our-server.yaml:4:42: error: 'BIGINT); SELECT (1' is not a valid DuckDB type",
        ),
        ("presets/our-server.yaml", "", "presets/our-server.yaml:1:1: error: the file is empty"),
    ],
)
def test_a_file_that_is_wrong_says_where(folder: Path, file: str, text: str, mistake: str) -> None:
    put(folder, {file: text})
    named = "presets: ['presets/**/*.yaml']\n"

    first, *others = said(folder, policy(slos=ERRORS) + named)

    assert first.startswith(mistake)
    assert [other for other in others if "our-gateway" in other.partition(": ")[2]] == []


def test_what_names_a_broken_preset_is_not_a_second_mistake(folder: Path) -> None:
    put(folder, {"presets/our-gateway.yaml": "title: [", "presets/our-log.yaml": "title: ["})
    backend = "backend: {type: logs, path: a.jsonl, records: our-log}\n"

    mistakes = said(folder, policy(backend=backend, slos=ERRORS) + NAMED)

    assert [mistake.partition(":")[0] for mistake in mistakes] == [
        "presets/our-gateway.yaml",
        "presets/our-log.yaml",
    ]


def test_a_glob_that_matches_nothing_and_a_file_that_cannot_be_read_are_mistakes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(_tree: Folder, _name: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Folder, "read", deny)
    named = "presets: [presets/our-log.yaml, none/*.yaml]\n"
    reader = Reader(file="gate.yaml", environ={}, imports=Imports(tree=Folder(folder)))

    contents, mistakes = parse((named + policy()).encode(), reader)

    assert contents is None
    assert [str(mistake) for mistake in mistakes] == [
        "gate.yaml:1:10: error: no file matches 'none/*.yaml'",
        "gate.yaml:1:10: error: presets/our-log.yaml cannot be read: Permission denied",
    ]


def test_the_files_are_as_much_the_policy_as_its_own_text(folder: Path) -> None:
    path = put(folder, {"gate.yaml": policy(slos=ERRORS) + NAMED}) / "gate.yaml"
    before = load(str(path), {}).source.sha256
    assert digest_of(str(path), {}) == before

    put(folder, {"presets/our-gateway.yaml": OURS.replace("acme", "base")})

    after = load(str(path), {}).source.sha256
    assert after == digest_of(str(path), {}) != before


def test_a_pinned_policy_has_the_presets_of_its_commit(folder: Path) -> None:
    text = policy(slos=ERRORS) + NAMED
    then = put(folder / "then", {"presets/our-gateway.yaml": OURS.replace("acme", "base")})

    file = load_pinned("gate.yaml", {}, text.encode(), Folder(then), "c0ffee", None)

    assert (
        only_sli(Contents(file.policy, file.settings, {})).total == "base_requests_total{,$labels}"
    )


def test_presets_are_known_without_a_sound_policy(folder: Path) -> None:
    put(folder, {"gate.yaml": f"{HEAD}{NAMED}{TIERS}slos: 1\n", "other.yaml": HEAD})

    assert presets_of(str(folder / "gate.yaml")).keys() == {"our-gateway", "our-log"}
    assert presets_of(str(folder / "other.yaml")) == {}
    assert presets_beside(str(folder / "new.yaml"), "presets/*.yaml").keys() == {
        "our-gateway",
        "our-log",
    }


@pytest.mark.parametrize(
    "named", ["presets: /etc/*.yaml\n", "presets: none.yaml\n", "presets: {\n"]
)
def test_presets_that_cannot_be_read_are_an_error(folder: Path, named: str) -> None:
    put(folder, {"gate.yaml": named})

    with pytest.raises(PolicyError):
        presets_of(str(folder / "gate.yaml"))


def test_a_glob_beside_a_policy_to_be_written_must_match(folder: Path) -> None:
    with pytest.raises(PolicyError, match="no file matches 'none/"):
        presets_beside(str(folder / "gate.yaml"), "none/*.yaml")


def test_a_preset_for_files_names_no_table(folder: Path) -> None:
    text = LOG.replace("{timestamp: at,", "{timestamp: at, table: requests,")
    put(folder, {"presets/our-log.yaml": text})

    _, mistakes = read(policy() + NAMED, folder=folder)

    (mistake,) = mistakes
    assert mistake.endswith(":4:10: error: the key 'table' is for SQL engines; remove it")


@pytest.mark.slow
def test_the_gates_own_files_are_presets_a_policy_could_bring_along(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "gate" / "presets"
    for name in preset_names():
        text = (shipped / f"{name}.yaml").read_text(encoding="utf-8")
        put(tmp_path, {f"presets/our-{name}.yaml": text})
    slos = slo("objective: 99%", "window: 30d", "sli: {preset: our-vllm/errors}")

    contents, mistakes = read(policy(slos=slos) + NAMED, folder=tmp_path)

    assert mistakes == []
    assert contents is not None
    assert len(contents.presets) == len(preset_names())
    shipped_sli = slo("objective: 99%", "window: 30d", "sli: {preset: vllm/errors}")
    theirs, _ = read(policy(slos=shipped_sli), folder=tmp_path)
    assert replace(only_sli(contents), preset="vllm/errors") == only_sli(theirs)


@pytest.mark.parametrize(
    "kind",
    [
        "DOUBLE",
        "varchar[]",
        "DECIMAL(18, 3)",
        "TIMESTAMP WITH TIME ZONE",
        'STRUCT("key" VARCHAR, "value" JSON)[]',
        "MAP(VARCHAR, STRUCT(a DOUBLE, b BIGINT[]))",
    ],
)
def test_a_type_of_duckdb_is_read_as_it_is(kind: str) -> None:
    assert COLUMN_TYPE.parse(kind) == kind


@pytest.mark.parametrize(
    "kind",
    [
        "DOUBLE)",
        "DOUBLE, 1",
        "STRUCT(a DOUBLE",
        "DOUBLE; DROP",
        "f(1)",
        "DOUBLE AS 'x'",
        "(1)",
        "a-b",
    ],
)
def test_what_is_more_than_a_type_goes_into_no_query(kind: str) -> None:
    with pytest.raises(ValueError, match="is not a valid DuckDB type"):
        COLUMN_TYPE.parse(kind)
