"""``backends``: several by name, each SLO names its own, and what is read of each entry."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.backends import backends_in, described, files_of, secrets_of
from gate.backends.prometheus.settings import PrometheusSettings
from gate.backends.several import SeveralSettings
from gate.backends.static import StaticSettings
from gate.config.policy_schema import UNOPENED, parse
from gate.measure import Cause
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader
from gate.policy.policy import Action, Policy
from gate.slo.objective import CompositeSlo, Slo
from tests.config.texts import BACKEND, assert_mistake, assert_warning, policy, read, sound

PROM = "  prom: {type: prometheus, url: http://prometheus:9090}\n"
JUDGE = "  judge: {type: logs, path: judge/*.jsonl, timestamp: ts}\n"
RUNS = "  runs: {type: evaluations, path: evals/*.json, every: 24h}\n"
BACKENDS = f"backends:\n{PROM}{JUDGE}"
UP = "  - {name: up, objective: 99.9%, window: 30d, backend: prom, sli: {bad: a, total: b}}\n"
FAITHFUL = (
    "  - {name: faithful, objective: 98%, window: 30d, backend: judge, sli: {bad: score < 0.7}}\n"
)
GOLDEN = "  - {name: golden, objective: 95%, window: 30d, backend: runs, sli: {metric: all}}\n"
SLOS = f"slos:\n{UP}{FAITHFUL}"


def at(name: str, other: dict[str, str], backends: str = BACKENDS) -> str:
    """Return a policy whose SLO of this name has other words, with a mark where it is written."""
    slos = SLOS.replace(f"{{name: {name},", f"¦{{name: {name},")
    for words, others in other.items():
        slos = slos.replace(words, others)
    return policy(backend=backends, slos=slos)


def slo_of(policy_read: Policy, name: str) -> Slo:
    (slo,) = (slo for slo in policy_read.slos if slo.name == name)
    return slo


def backend_of(policy_read: Policy, name: str) -> str:
    slo = slo_of(policy_read, name)
    assert not isinstance(slo, CompositeSlo)
    return slo.sli.backend


def test_each_slo_has_the_backend_that_it_names_and_a_composite_has_none() -> None:
    whole = "  - {name: whole, composite: [{slo: up}, {slo: faithful}]}\n"

    read_policy = sound(policy(backend=BACKENDS, slos=SLOS + whole))

    assert read_policy.backends == {"prom": "prometheus", "judge": "logs"}
    assert backend_of(read_policy, "up") == "prom"
    assert backend_of(read_policy, "faithful") == "judge"


def test_a_single_backend_has_no_name() -> None:
    read_policy = sound(policy())

    assert read_policy.backends == {"": "prometheus"}
    assert backend_of(read_policy, "availability") == ""


def test_the_only_entry_counts_the_slos_that_name_none() -> None:
    slos = "slos:\n  - {name: up, objective: 99.9%, window: 30d, sli: {bad: a, total: b}}\n"

    assert backend_of(sound(policy(backend=f"backends:\n{PROM}", slos=slos)), "up") == "prom"


def test_every_way_in_which_an_indicator_may_be_counted_has_the_backend() -> None:
    slos = (
        "slos:\n  - {name: errors, objective: 99.9%, window: 30d, backend: prom, sli: {preset:"
        f" litellm/errors}}}}\n{FAITHFUL}"
    )

    slo = slo_of(sound(policy(backend=BACKENDS, slos=slos)), "errors")

    assert not isinstance(slo, CompositeSlo)
    others = [*slo.sli.older, *([slo.sli.unfiltered] if slo.sli.unfiltered else [])]
    assert others
    assert {sli.backend for sli in others} == {"prom"}


def test_settings_of_each_backend_are_under_its_name() -> None:
    contents, mistakes = read(policy(backend=BACKENDS, slos=SLOS))

    assert mistakes == []
    assert contents is not None
    settings = backends_in(contents.settings)
    assert {name: own.kind for name, own in settings.items()} == {
        "prom": "prometheus",
        "judge": "logs",
    }
    assert described(contents.settings) == "each of the backends prom (prometheus) and judge (logs)"


def test_secrets_and_files_are_those_of_all_backends() -> None:
    settings = SeveralSettings(
        backends={
            "prom": PrometheusSettings(url="http://x", bearer="hunter2-hunter2"),
            "counts": StaticSettings(path=Path("counts.yaml")),
        }
    )

    assert secrets_of(settings) == ("hunter2-hunter2",)
    assert files_of(settings) == ("counts.yaml",)
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (
            policy(backend=BACKENDS + f"¦{BACKEND}", slos=SLOS),
            "'backend' does not go with 'backends' on line 3; write every backend as an entry of"
            " backends, and name it on each SLO",
        ),
        (
            policy(backend=f"{BACKEND}¦{BACKENDS}", slos=SLOS),
            "'backends' does not go with 'backend' on line 3; write every backend as an entry of"
            " backends, and name it on each SLO",
        ),
        (
            at("up", {"prom": "pram"}),
            "up: 'pram' is not a backend of this policy; did you mean 'prom'?",
        ),
        (
            at("up", {" backend: prom,": ""}),
            "up: the key 'backend' is missing, since this policy has several; add backend: NAME,"
            " which is one of: prom, judge",
        ),
        (
            policy(slos=f"slos:\n{UP.replace('{name', '¦{name')}"),
            "up: backend: prom names an entry of backends, and this policy has a single backend;"
            " remove it, or write backends: {NAME: {type: ...}}",
        ),
        (
            policy(
                backend=BACKENDS,
                slos=f"{SLOS}  - {{name: whole, composite: [{{slo: up}}], backend: ¦prom}}\n",
            ),
            "'backend' does not go with 'composite'; remove one of the two",
        ),
        (
            policy(backend="backends: ¦{}\n", slos="slos: []\n").replace("slos: []\n", SLOS),
            "backends has no entry; write backends: {prom: {type: prometheus, url:"
            ' "http://prometheus:9090"}, judge: {type: logs, path: judge/*.jsonl, timestamp: ts}}',
        ),
        (
            policy(backend="backends: {¦type: prometheus, url: http://x}\n", slos=f"slos:\n{UP}"),
            "backends has a name for each backend; for a single one, write backend: {type:"
            " prometheus, ...}",
        ),
        (
            policy(backend=BACKENDS.replace("ts}", "ts, on: {¦except: [rollback]}}"), slos=SLOS),
            "unknown key 'except'; it belongs in the policy's own on, since a class ships or does"
            " not",
        ),
        (
            policy(backend=BACKENDS.replace("ts}", "ts, coverage_floor: ¦95%}"), slos=SLOS),
            "coverage_floor must not be above min_coverage, which is 90%",
        ),
        (
            at(
                "faithful",
                {"judge,": "judge, coverage_floor: 40%,"},
                BACKENDS.replace("ts}", "ts, min_coverage: 30%}"),
            ),
            "faithful: coverage_floor must not be above min_coverage, which is 30%",
        ),
        (
            at("up", {"{bad: a, total: b}": "{column: a, threshold: 1}"}),
            "up: the prometheus backend does not support 'threshold' indicators; it supports:"
            " gauge, histogram, ratio, spent",
        ),
        (
            at("faithful", {"{bad: score < 0.7}": "{preset: vllm/errors}"}),
            "faithful: the preset vllm/errors is for the prometheus backend, and"
            " backends.judge.type is logs",
        ),
    ],
)
def test_a_mistake_about_backends_says_what_to_do(marked: str, message: str) -> None:
    assert_mistake(marked, message)


def test_a_preset_of_rows_names_the_entry_that_must_read_them() -> None:
    slos = SLOS.replace("{bad: score < 0.7}", "{preset: litellm-spend-logs/errors}")
    _, (mistake,) = read(policy(backend=BACKENDS, slos=slos))

    assert mistake.endswith("set backends.judge.records: litellm-spend-logs")


def test_an_unknown_type_of_backend_hides_no_other_mistake() -> None:
    text = policy(
        backend=BACKENDS.replace("type: logs", "type: lugs"),
        slos=SLOS.replace("backend: prom", "backend: pram"),
    )

    _, mistakes = read(text)

    assert [mistake.partition("error: ")[2] for mistake in mistakes] == [
        "'lugs' is not a valid value; did you mean 'logs'?",
        "up: 'pram' is not a backend of this policy; did you mean 'prom'?",
    ]


def test_slo_files_need_a_backend_that_reads_promql(tmp_path: Path) -> None:
    (tmp_path / "slos.yaml").write_text(
        "version: prometheus/v1\nservice: chat\nslos:\n  - name: up\n    objective: 99.9\n    sli:"
        ' {events: {error_query: "rate(e[{{.window}}])", total_query: "rate(t[{{.window}}])"}}\n',
        encoding="utf-8",
    )
    named = f"slos:\n  - {{from: slos.yaml, backend: NAME}}\n{FAITHFUL}"

    contents, mistakes = read(
        policy(backend=BACKENDS, slos=named.replace("NAME", "prom")), folder=tmp_path
    )
    _, refused = read(
        policy(backend=BACKENDS, slos=named.replace("NAME", "judge")), folder=tmp_path
    )
    _, unnamed = read(
        policy(backend=BACKENDS, slos=named.replace(", backend: NAME", "")), folder=tmp_path
    )

    assert mistakes == []
    assert contents is not None
    assert backend_of(contents.policy, "chat-up") == "prom"
    assert [line.rpartition("; ")[2] for line in refused if "PromQL" in line] == [
        "name a backend of the type prometheus beside 'from'"
    ]
    assert "add backend: NAME beside 'from', which is one of: prom, judge" in unnamed[0]


def test_a_policy_needs_a_backend() -> None:
    (mistake,) = read(policy(backend=""))[1]

    assert mistake.endswith(
        "the key 'backend' is missing; add backend: {type: prometheus, url:"
        ' "http://prometheus:9090"}'
    )


def test_a_backend_that_no_slo_uses_is_a_warning() -> None:
    assert_warning(
        policy(backend=BACKENDS.replace("  judge", "  ¦judge"), slos=f"slos:\n{UP}"),
        "no SLO uses the backend judge, so that it is never queried; remove it, or write backend:"
        " judge on an SLO",
    )


def test_a_rule_that_looks_back_names_the_backend_that_keeps_no_history() -> None:
    counts = "  counts: {type: static, path: counts.yaml}\n"
    slos = f"slos:\n{UP}  - {{name: quota, objective: 99%, window: 30d, backend: counts}}\n"
    text = policy(backend=f"backends:\n{PROM}{counts}", slos=slos, more="control_charts: warn\n")

    _, mistakes = read(text, offline=True)

    assert [line.partition("warning: ")[2] for line in mistakes if "history" in line] == [
        "control_charts needs a history, which the backend counts (static) does not keep: every"
        " check will be undecided; remove it"
    ]


GUARDED = f"backends:\n{PROM}{RUNS}"


@pytest.mark.parametrize(
    ("backend", "of_slo", "of_policy", "age"),
    [
        ("", "", "", timedelta(hours=36)),
        ("", "", "max_age: 5m\n", timedelta(minutes=5)),
        (", max_age: 48h", "", "max_age: 5m\n", timedelta(hours=48)),
        (", max_age: 48h", ", max_age: 72h", "max_age: 5m\n", timedelta(hours=72)),
    ],
)
def test_the_slo_comes_before_its_backend_and_that_before_the_policy(
    backend: str, of_slo: str, of_policy: str, age: timedelta
) -> None:
    text = policy(
        backend=GUARDED.replace("24h", f"24h{backend}"),
        slos=f"slos:\n{UP}{GOLDEN.replace('runs', f'runs{of_slo}')}",
        more=of_policy,
    )

    read_policy = sound(text)

    assert read_policy.guards_of(slo_of(read_policy, "golden")).max_age == age
    of_up = timedelta(minutes=5) if of_policy else timedelta(minutes=10)
    assert read_policy.guards_of(slo_of(read_policy, "up")).max_age == of_up


def test_coverage_is_that_of_the_slo_then_of_its_backend_then_of_the_policy() -> None:
    entry = GUARDED.replace("24h", "24h, min_coverage: 60%, coverage_floor: 20%")
    more = GOLDEN.replace("golden", "other").replace("runs", "runs, min_coverage: 70%")
    read_policy = sound(policy(backend=entry, slos=f"slos:\n{UP}{GOLDEN}{more}"))

    of_golden, of_other, of_up = (
        read_policy.guards_of(slo_of(read_policy, name)) for name in ("golden", "other", "up")
    )

    assert (of_golden.min_coverage, of_golden.floor) == (Fraction(3, 5), Fraction(1, 5))
    assert (of_other.min_coverage, of_other.floor) == (Fraction(7, 10), Fraction(1, 5))
    assert (of_up.min_coverage, of_up.floor) == (Fraction(9, 10), Fraction(1, 2))


def test_on_is_per_cause_that_of_the_slo_then_of_its_backend_then_of_the_policy() -> None:
    whole = "  - {name: whole, composite: [{slo: up}, {slo: faithful}], on: {partial: allow}}\n"
    text = policy(
        backend=BACKENDS.replace("ts}", "ts, on: {stale: warn, no_data: warn}}"),
        slos=f"slos:\n{UP}{FAITHFUL.replace('judge', 'judge, on: {stale: allow}')}{whole}",
        more="on: {invalid: warn}\n",
    )

    read_policy = sound(text)

    def actions(name: str) -> list[Action]:
        slo = slo_of(read_policy, name)
        causes = (Cause.STALE, Cause.NO_DATA, Cause.INVALID, Cause.PARTIAL)
        return [read_policy.action_of(slo, cause) for cause in causes]

    block, warn, allow = Action.BLOCK, Action.WARN, Action.ALLOW
    assert actions("faithful") == [allow, warn, warn, block]
    assert actions("up") == [block, block, warn, block]
    assert actions("whole") == [block, block, warn, allow]


def test_an_slo_of_a_single_backend_has_an_on_of_its_own_too() -> None:
    read_policy = sound(policy(slos=f"slos:\n{UP.replace('backend: prom', 'on: {stale: warn}')}"))

    assert read_policy.action_of(read_policy.slos[0], Cause.STALE) is Action.WARN
    assert read_policy.action_of(read_policy.slos[0], Cause.NO_DATA) is Action.BLOCK


def test_a_policy_that_is_not_opened_has_the_same_rules_and_needs_no_variable() -> None:
    more = "ts, min_coverage: 50%, on: {stale: warn}}"
    entry = f"backends:\n{RUNS}{JUDGE}".replace("judge/*.jsonl", '"${WHERE}"').replace("ts}", more)
    text = policy(backend=entry, slos=f"slos:\n{GOLDEN}{FAITHFUL}")
    reader = Reader(file="gate.yaml", environ={}, imports=Imports(tree=Folder(Path())))

    contents, mistakes = parse(text.encode(), reader, UNOPENED)
    opened, _ = read(text, {"WHERE": "judge/*.jsonl"})

    assert mistakes == ()
    assert contents is not None
    assert opened is not None
    assert contents.policy == opened.policy
