"""The requirements of a tier in the policy file: reading them, and the place of mistakes."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.config.load import load
from gate.policy.requirements import Claim, EvaluationRequirement, ShadowRequirement
from tests.config.texts import assert_mistake, assert_warning, policy, read, sound

FORMS = (
    "{evaluation: faithfulness, from: evals/*.json, at_least: 95%}, or {shadow: {by: deployment,"
    " candidate: shadow, against: live, margin: 10%, for: 1h}}"
)


def requiring(*entries: str, claims: str = "") -> str:
    """Return a policy whose first tier requires these of a canary."""
    tiers = f"""\
tiers:
  - name: healthy
    remaining: "> 50%"
    allow: all
    require: {{canary: [{", ".join(entries)}]}}
  - {{name: rest, otherwise: true, allow: [rollback]}}
"""
    return policy(tiers=tiers, more=claims)


def test_the_three_kinds_are_read() -> None:
    read_policy = sound(
        requiring(
            "{evaluation: faithfulness, from: evals/*.json, at_least: 95%}",
            "{evaluation: safety, from: [./a/x.json, '**/*.xml'], at_least: 0.9, cases: 2,"
            " max_age: 24h, not_worse_than: base, base_from: base/*.json, metric: all,"
            " score: 0.8, case_ids: [a, 2], repeats: 3}",
            f"{{evaluation: f1, from: '*.json', at_least: 95%, case_digest: {'ab' * 32}}}",
            "{evaluation: recall, from: {artifact: results, files: [./a/*.json, b.xml]},"
            " at_least: 95%, not_worse_than: base, base_from: {artifact: main, files: '**'}}",
            "{shadow: {by: deployment, candidate: shadow, against: live, slos: [availability],"
            " margin: 10%, for: 1h, pair_by: request_id}}",
            "review",
            claims="claims: allowed\n",
        )
    )
    assert read_policy.claims
    assert read_policy.requirements == (
        EvaluationRequirement(
            name="faithfulness", files=("evals/*.json",), at_least=Fraction(95, 100)
        ),
        EvaluationRequirement(
            name="safety",
            files=("a/x.json", "**/*.xml"),
            at_least=Fraction(9, 10),
            cases=2,
            max_age=timedelta(hours=24),
            not_worse_than_base=True,
            base_files=("base/*.json",),
            metric="all",
            score=Fraction(4, 5),
            case_ids=frozenset({"a", "2"}),
            repeats=3,
        ),
        EvaluationRequirement(
            name="f1",
            files=("*.json",),
            at_least=Fraction(95, 100),
            case_digest="ab" * 32,
        ),
        EvaluationRequirement(
            name="recall",
            files=("a/*.json", "b.xml"),
            artifact="results",
            at_least=Fraction(95, 100),
            not_worse_than_base=True,
            base_files=("**",),
            base_artifact="main",
        ),
        ShadowRequirement(
            by="deployment",
            candidate="shadow",
            against="live",
            slos=("availability",),
            margin=Fraction(1, 10),
            lasting=timedelta(hours=1),
            pair_by="request_id",
        ),
        Claim(name="review"),
    )


def evaluation(*more: str, bar: str = "95%", files: str = "e/*.json") -> str:
    keys = ("evaluation: f", f"from: {files}", f"at_least: {bar}", *more)
    return f"{{{', '.join(keys)}}}"


def shadow(*more: str, margin: str = "10%", against: str = "live") -> str:
    keys = ("by: d", "candidate: shadow", f"against: {against}", f"margin: {margin}", "for: 1h")
    return f"{{shadow: {{{', '.join((*keys, *more))}}}}}"


PATH = "is not a valid path; write it from the folder that gate runs in, with /: evals/*.json"


@pytest.mark.variants(49)
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("¦{}", f"the entry does not say what is checked; write {FORMS}"),
        ("¦{from: a, at_least: 95%}", f"the entry does not say what is checked; write {FORMS}"),
        ("{¦evalution: a}", "unknown key 'evalution'; did you mean 'evaluation'?"),
        (
            "¦{evaluation: a, shadow: b}",
            "an entry checks one thing; write evaluation and shadow as two entries",
        ),
        ("¦[a]", "expected a single value, not a list; write require: {model-update:"
         " [{evaluation: faithfulness, from: evals/*.json, at_least: 95%}]}"),
        (evaluation("¦bar: 3"), "unknown key 'bar'; known: at_least, base_from, case_digest,"
         " case_ids, cases, evaluation, from, max_age, metric, not_worse_than, repeats, score"),
        (evaluation(bar="¦95"), "a bare 95 is ambiguous; write 95% or a share from 0 to 1"),
        (evaluation(bar="¦0%"), "0% must be above 0%"),
        (evaluation(bar="¦101%"), "101% is not between 0% and 100%"),
        (evaluation("cases: ¦-3"), "'-3' is not a valid count; write a whole number, 0 or more"),
        (evaluation("cases: ¦0"), "0 is too few; write a whole number, 1 or more"),
        (evaluation("repeats: ¦0"), "0 is too few; write a whole number, 1 or more"),
        (evaluation("cases: ¦x"), "'x' is not a valid count; write a whole number, 0 or more"),
        (evaluation("max_age: ¦24"), "'24' is not a valid duration; add a unit, for example 24d,"
         " 24h, 24m or 24s"),
        (evaluation("not_worse_than: ¦main"), "'main' is not a valid value; write base"),
        (evaluation("base_from: ¦b/*.json"), "base_from is only used with not_worse_than; add"
         " not_worse_than: base"),
        (evaluation("score: ¦high"), "'high' is not a valid number; write digits, with a point for"
         " decimals"),
        (evaluation("score: ¦0"), "0 is not above zero; write a positive number"),
        (evaluation("score: ¦-1"), "-1 is not above zero; write a positive number"),
        (evaluation("case_digest: ¦abc"), "'abc' is not a hash of case ids: 64 hexadecimal digits"
         " in lower case, as gate evaluation prints them"),
        (evaluation("case_ids: [a, b]", f"case_digest: ¦{'a' * 64}"), "'case_ids' and"
         " 'case_digest' say the same; remove one of the two"),
        (evaluation("case_ids: ¦[a, b, a]"), "the case 'a' is duplicated; remove one of the two"),
        (evaluation("case_ids: ¦[]"), "the list needs at least 1 entry; write case_ids:"
         " golden-set.txt"),
        (evaluation("case_ids: ¦nosuch.txt"), "there is no file 'nosuch.txt'; paths start from this"
         " file's folder"),
        (evaluation("case_ids: ¦/etc/ids"), "'/etc/ids' is not the name of one file; write it from"
         " this file's folder, with /"),
        (evaluation("case_ids: ¦'*.txt'"), "'*.txt' is not the name of one file; write it from"
         " this file's folder, with /"),
        (evaluation("case_ids: [a, b]", "cases: ¦3"), "cases is 3, and case_ids has only 2: it"
         " could never be met; write cases: 2"),
        (evaluation(bar="¦100%"), "no number of cases proves that all of them pass; add cases: how"
         " many are enough"),
        (evaluation(files="¦/tmp/x.json"), f"'/tmp/x.json' {PATH}"),
        (evaluation(files="¦~/x.json"), f"'~/x.json' {PATH}"),
        (evaluation(files="['a', ¦'b\\c']"), f"'b\\\\c' {PATH}"),
        (evaluation(files="¦'C:/x'"), f"'C:/x' {PATH}"),
        (evaluation(files="¦[]"), 'the list needs at least 1 entry; write from: "evals/*.json"'),
        (evaluation(files="¦''"), 'the value is empty; write from: "evals/*.json"'),
        (evaluation(files="¦{artifact: a}"), "the key 'files' is missing; add files: \"*.json\""),
        (evaluation(files="¦{files: a}"), "the key 'artifact' is missing; add artifact:"
         " evaluation-results"),
        (evaluation(files="{artifact: ¦'', files: a}"), "the value is empty; write artifact:"
         " evaluation-results"),
        (evaluation(files="{artifact: a, files: ¦[]}"), "the list needs at least 1 entry; write"
         ' files: "*.json"'),
        (evaluation(files="{artifact: a, files: ¦/x}"), f"'/x' {PATH}"),
        (evaluation(files="{artifact: a, ¦file: x}"), "unknown key 'file'; did you mean 'files'?"),
        ("¦{evaluation: f, at_least: 95%}", "the key 'from' is missing; add from:"
         ' "evals/*.json"'),
        (f"review, {evaluation()}, ¦{evaluation()}", "'f' is required twice; remove one, or give it"
         " another name"),
        (f"{shadow()}, ¦{shadow()}", "'shadow' is required twice; remove one"),
        (shadow(margin="¦0%"), "0% must be above 0%: no number of requests shows that two"
         " deployments are exactly alike; write for example 10%"),
        (shadow(margin="¦1001%"), "1001% is more than ten whole budgets; write 1000% or less"),
        (shadow(margin="¦10"), "a bare 10 is ambiguous; write 10% or a share from 0 to 1"),
        (shadow(against="¦shadow"), "candidate and against are the same; write the value of the"
         " live deployment"),
        (f"¦{shadow('slos: [availabilty]')}", "no SLO is named 'availabilty'; did you mean"
         " 'availability'?"),
        (shadow("slos: ¦[]"), "the list needs at least 1 entry; write slos: [availability]"),
        ("{shadow: ¦{by: d, candidate: s, against: l, margin: 10%}}", "the key 'for' is missing;"
         " add for: 1h"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_at_its_place(entry: str, message: str) -> None:
    assert_mistake(requiring(entry, claims="claims: allowed\n"), message)


def test_claims_are_allowed_or_refused() -> None:
    assert_mistake(
        policy(more="claims: ¦yes\n"), "'yes' is not a valid value; write allowed or refused"
    )
    assert not sound(policy()).claims
    assert not sound(policy(more="claims: refused\n")).claims


@pytest.mark.parametrize("claims", ["", "claims: refused\n"])
def test_a_bare_name_that_can_never_be_met_draws_a_warning(claims: str) -> None:
    assert_warning(
        requiring(evaluation(), "¦review", claims=claims),
        "review can only be claimed, and this policy refuses claims: it is never met; say how it"
        " is checked, or add claims: allowed",
    )


def test_a_mistake_in_the_slos_does_not_hide_the_warning() -> None:
    text = requiring("review").replace("objective: 99.9%", "objective: much")
    _, mistakes = read(text)
    assert [": warning: review can only" in mistake for mistake in mistakes].count(True) == 1


GOLDEN = requiring(evaluation("case_ids: ids/golden.txt"))


def test_the_ids_of_the_cases_may_be_in_a_file_which_is_part_of_the_policy(
    tmp_path: Path,
) -> None:
    (tmp_path / "ids").mkdir()
    ids = tmp_path / "ids" / "golden.txt"
    (tmp_path / "gate.yaml").write_text(GOLDEN)
    ids.write_bytes(b"\xef\xbb\xbfq-1\r\n\n  q 2 \n")
    first = load(str(tmp_path / "gate.yaml"), {})
    (requirement,) = first.policy.requirements
    assert isinstance(requirement, EvaluationRequirement)
    assert requirement.case_ids == frozenset({"q-1", "q 2"})
    ids.write_text("q-1\n")
    second = load(str(tmp_path / "gate.yaml"), {})
    assert second.source.sha256 != first.source.sha256


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n \n", "ids/golden.txt has no case; write one id on each line"),
        (b"a\nb\na\n", "the case 'a' is duplicated; remove one of the two"),
        (b"\xff", "the file is not UTF-8 text"),
    ],
)
def test_a_file_of_ids_may_be_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "ids").mkdir()
    (tmp_path / "ids" / "golden.txt").write_bytes(content)
    contents, mistakes = read(GOLDEN, folder=tmp_path)
    assert contents is None
    assert message in mistakes[0]


def test_a_file_of_ids_that_cannot_be_read_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ids").mkdir()
    (tmp_path / "ids" / "golden.txt").write_bytes(b"a\n")

    def refuse(_folder: object, _name: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gate.parsing.files.Folder.read", refuse)
    _, mistakes = read(GOLDEN, folder=tmp_path)
    assert mistakes[0].endswith("ids/golden.txt cannot be read: Permission denied")


def test_a_shadow_that_no_data_could_meet_says_what_to_write() -> None:
    short = requiring(f"¦{shadow()}".replace("for: 1h", "for: 5m"))
    same = requiring(f"¦{shadow()}".replace("{by: d,", "{by: code,"))
    sli = "sli: {bad: 'errors{code=\"500\"}', total: errors}"

    assert_mistake(
        short,
        "for is 5m; write at least 10m, since bursts of failures do not show in less time",
    )
    assert_mistake(
        same.replace("sli: {bad: errors, total: requests}", sli),
        "code is part of what makes an event of availability bad, so the two differ by definition;"
        " separate them by another label, or name other SLOs in slos",
    )


def test_an_slo_that_counts_no_events_cannot_be_compared() -> None:
    slos = """\
slos:
  - {name: availability, objective: 99.9%, window: 30d, sli: {bad: errors, total: requests}}
  - {name: money, allowance: 5 USD, window: 30d, sli: {spent: cost}}
"""
    text = requiring(f"¦{shadow('slos: [money]')}")
    start, end = text.index("slos:\n"), text.index("tiers:")
    assert_mistake(
        text[:start] + slos + text[end:],
        "money cannot be compared: spend is an amount, not a count of events; name other SLOs in"
        " slos",
    )
