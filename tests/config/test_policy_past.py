"""The rules of a policy on the past and on the future: postmortems and exhaustion."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import pytest

from gate.config.load import load, validate_file
from gate.errors import PolicyError
from gate.history.records import IncidentRecord, RecordStatus
from gate.policy.changes import REPAIRS
from gate.policy.rule_settings import Effect, ExhaustionRule, PostmortemRule
from tests.config.texts import places, policy, read, slo, sound

LEAST = "postmortems: {share: 20%, known_incidents: incidents/*.yaml}\n"
INC_42 = """\
id: INC-42
title: The queue ran full
service: chat
start: 2026-10-27T01:45:00Z
end: 2026-10-27T02:15:00Z
status: reviewed
cause: no limit
remediation: a limit
"""
RECORD = IncidentRecord(
    id="INC-42",
    title="The queue ran full",
    services=("chat",),
    start=datetime(2026, 10, 27, 1, 45, tzinfo=UTC),
    end=datetime(2026, 10, 27, 2, 15, tzinfo=UTC),
    status=RecordStatus.REVIEWED,
    cause="no limit",
    remediation="a limit",
)


def write(folder: Path, files: Mapping[str, str]) -> str:
    """Write files and return the path of the policy among them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(folder / "gate.yaml")


def mistakes(folder: Path, files: Mapping[str, str]) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(write(folder, files), {})
    return [str(one).removeprefix(f"{folder}/") for one in caught.value.mistakes]


def test_exhaustion_warns_and_spares_repairs_unless_it_says_otherwise() -> None:
    assert sound(policy(more="exhaustion: {within: 3d}\n")).exhaustion == ExhaustionRule(
        within=timedelta(days=3), effect=Effect.WARN, allow=REPAIRS
    )
    strict = sound(policy(more="exhaustion: {within: 12h, effect: block, allow: [rollback]}\n"))
    assert strict.exhaustion == ExhaustionRule(
        within=timedelta(hours=12), effect=Effect.BLOCK, allow=frozenset({"rollback"})
    )


def test_postmortems_have_the_defaults_of_gate_incidents_and_of_the_slo() -> None:
    assert sound(policy(more=LEAST)).postmortems == PostmortemRule(
        share=Fraction(1, 5),
        threshold=Fraction(6),
        patterns=("incidents/*.yaml",),
        records=(),
        last=None,
        allow=REPAIRS,
        excuse_reviewed=False,
    )


def test_postmortems_say_all_that_they_can() -> None:
    text = (
        "postmortems: {share: 0.1, known_incidents: [a/*.yaml, ./b.yml], last: 28d,"
        " threshold: 14.4, allow: [], excuse_reviewed: true}\n"
    )
    assert sound(policy(more=text)).postmortems == PostmortemRule(
        share=Fraction(1, 10),
        threshold=Fraction(72, 5),
        patterns=("a/*.yaml", "b.yml"),
        records=(),
        last=timedelta(days=28),
        allow=frozenset(),
        excuse_reviewed=True,
    )


def test_without_the_keys_there_are_no_such_rules() -> None:
    plain = sound(policy())
    assert (plain.exhaustion, plain.postmortems, plain.looks_back) == (None, None, False)
    assert sound(policy(more=LEAST)).looks_back
    assert not sound(policy(more="exhaustion: {within: 3d}\n")).looks_back


@pytest.mark.parametrize(
    "text, message",
    [
        ("exhaustion: ¦{effect: warn}\n", "the key 'within' is missing"),
        ("exhaustion: {within: ¦soon}\n", "'soon' is not a valid duration"),
        (
            "exhaustion: {within: 3d, effect: ¦bloc}\n",
            "'bloc' is not a valid value; did you mean 'block'?",
        ),
        (
            "exhaustion: {within: 3d, allow: [¦hotfix]}\n",
            "'hotfix' is not a change class; known:",
        ),
        ("postmortems: ¦{known_incidents: a.yaml}\n", "the key 'share' is missing"),
        ("postmortems: ¦{share: 20%}\n", "the key 'known_incidents' is missing"),
        ("postmortems: {share: ¦20, known_incidents: a.yaml}\n", "a bare 20 is ambiguous"),
        (
            "postmortems: {share: 20%, known_incidents: ¦incidents/}\n",
            "'incidents/' does not match YAML files; write for example incidents/*.yaml",
        ),
        (
            "postmortems: {share: 20%, known_incidents: [a.yaml, ¦/etc/b.yaml]}\n",
            "'/etc/b.yaml' is not a valid path; write it from this file's folder",
        ),
        (
            "postmortems: {share: 20%, known_incidents: ¦[]}\n",
            "the list needs at least 1 entry; write known_incidents",
        ),
        (
            "postmortems: {share: 20%, known_incidents: a.yaml, ¦excuse_review: true}\n",
            "unknown key 'excuse_review'; did you mean 'excuse_reviewed'?",
        ),
        (
            "postmortems: {share: 20%, known_incidents: a.yaml, allow: [¦bugfix]}\n",
            "'bugfix' is not a change class; did you mean 'bug-fix'?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, message: str) -> None:
    marked, (where,) = places(policy(more=text))
    contents, (mistake,) = read(marked)
    assert mistake.startswith(f"{where}: error: {message}")
    assert contents is None


def test_a_static_backend_draws_a_warning_where_a_rule_looks_back(tmp_path: Path) -> None:
    static = policy(
        backend="backend: {type: static, path: counts.yaml}\n",
        slos="slos:\n  - {name: a, objective: 99.9%, window: 30d}\n",
        more="exhaustion: {within: 3d}\n" + LEAST,
    )
    path = write(tmp_path, {"gate.yaml": static, "counts.yaml": "counts: {}"})
    assert [str(one) for one in validate_file(path, {})] == [
        f"{path}:10:14: warning: postmortems needs a history, which the static backend does not"
        " keep: every check will be undecided; remove it"
    ]
    assert [str(one) for one in load(path, {}).warnings] == [
        str(one) for one in validate_file(path, {})
    ]


def test_incidents_are_found_in_timeslices_as_well() -> None:
    sliced = slo(
        "objective: 99%",
        "window: 30d",
        "sli: {bad: a, total: b}",
        "timeslices: {length: 5m, target: 95%}",
    )
    assert sound(policy(slos=sliced, more=LEAST)).postmortems is not None


def test_the_slos_that_cannot_be_read_are_spoken_of_alone() -> None:
    _, (mistake,) = read(policy(slos="slos: []\n", more=LEAST))
    assert "the list needs at least 1 entry; write slos: " in mistake


def test_records_are_read_from_the_policys_folder_and_belong_to_its_hash(tmp_path: Path) -> None:
    text = policy(more=LEAST)
    before = load(write(tmp_path, {"gate.yaml": text}), {})
    after = load(write(tmp_path, {"incidents/42.yaml": INC_42}), {})

    assert before.source.sha256 == sha256(text.encode()).hexdigest()
    assert after.policy.postmortems is not None
    assert after.policy.postmortems.records == (RECORD,)
    assert after.policy.postmortems.records[0].place == f"{tmp_path}/incidents/42.yaml:1"
    lines = (
        f"{sha256(raw.encode()).hexdigest()}  {name}\n"
        for name, raw in (("gate.yaml", text), ("incidents/42.yaml", INC_42))
    )
    assert after.source.sha256 == sha256("".join(lines).encode()).hexdigest()


def test_a_file_that_several_patterns_match_is_read_once(tmp_path: Path) -> None:
    more = "postmortems: {share: 20%, known_incidents: [incidents/*.yaml, incidents/42.yaml]}\n"
    files = {"gate.yaml": policy(more=more), "incidents/42.yaml": INC_42}
    rule = load(write(tmp_path, files), {}).policy.postmortems
    assert rule is not None
    assert rule.records == (RECORD,)


def test_a_mistake_in_a_record_is_a_warning_and_an_error_of_validate(tmp_path: Path) -> None:
    files = {
        "gate.yaml": policy(more=LEAST),
        "incidents/1.yaml": INC_42,
        "incidents/2.yaml": INC_42.replace("remediation", "remedy").replace("INC-42", "INC-2"),
        "incidents/3.yaml": f"[{{}}]\n---\n{INC_42}",
    }
    read_files = load(write(tmp_path, files), {})
    warnings = [str(one).removeprefix(f"{tmp_path}/") for one in read_files.warnings]

    assert warnings[0] == (
        "incidents/2.yaml:8:1: warning: unknown key 'remedy'; known: cause, end, id, link,"
        " measured, remediation, service, slos, start, status, title"
    )
    assert all(one.startswith("incidents/3.yaml:1:2: warning: the key ") for one in warnings[1:-1])
    assert warnings[-1].startswith(
        "incidents/3.yaml:3:1: warning: duplicate id 'INC-42'; the first one is"
    )
    assert warnings[-1].endswith("incidents/1.yaml:1")
    assert [
        str(one).removeprefix(f"{tmp_path}/") for one in validate_file(f"{tmp_path}/gate.yaml", {})
    ] == [one.replace(": warning:", ": error:") for one in warnings]

    rule = read_files.policy.postmortems
    assert rule is not None
    assert rule.records == (RECORD,)
    assert [(one.start, one.services) for one in rule.unreadable] == [
        (RECORD.start, ("chat",)),
        (None, ()),
        (RECORD.start, ("chat",)),
    ]


def test_a_record_that_cannot_be_read_is_named_at_the_pattern(tmp_path: Path) -> None:
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / "42.yaml").symlink_to("/proc/self/mem")
    read_file = load(write(tmp_path, {"gate.yaml": policy(more=LEAST)}), {})
    (warning,) = read_file.warnings
    assert str(warning).removeprefix(f"{tmp_path}/") == (
        "gate.yaml:9:44: warning: incidents/42.yaml cannot be read: Input/output error"
    )
    assert read_file.policy.postmortems is not None
    (unreadable,) = read_file.policy.postmortems.unreadable
    assert (unreadable.start, unreadable.services) == (None, ())
