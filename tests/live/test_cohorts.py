"""Cohorts whose truth is known, told apart alike on real servers and in request logs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.cli.main import main
from tests.command import gate
from tests.live.command import NOW, TIERS
from tests.servers.cohorts import by_template, events, truth, write_metrics, write_rows
from tests.servers.metrics import backfill, prometheus, victoria
from tests.servers.proxy import counting_proxy

pytestmark = pytest.mark.slow

Backend = dict[str, str]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run both servers with the week; return their addresses."""
    folder = tmp_path_factory.mktemp("week")
    text = folder / "week.om"
    write_metrics(text)
    backfill(text, folder / "blocks")
    with (
        prometheus(folder / "prometheus", folder / "blocks") as first,
        victoria(folder / "victoria", text) as second,
    ):
        yield {"prometheus": first.url, "victoria": second.url}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    write_rows(path)
    return path


@pytest.fixture(params=["prometheus", "victoria", "logs"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Return each backend's block of the policy in turn."""
    if request.param == "logs":
        path: Path = request.getfixturevalue("rows")
        return {"type": "logs", "path": str(path), "timestamp": "ts"}
    return {"type": "prometheus", "url": request.getfixturevalue("servers")[request.param]}


def slo(service: str, backend: Backend) -> dict[str, Any]:
    if backend["type"] == "logs":
        sli = {"bad": "status >= 500", "total": f"service = '{service}'"}
    else:
        metric = f'llm_requests_total{{service="{service}"'
        sli = {"bad": f'{metric},code="500"}}', "total": f"{metric}}}"}
    return {"name": service, "objective": "99%", "window": "7d", "sli": sli}


def policy(folder: Path, backend: Backend, *slos: dict[str, Any]) -> Path:
    path = folder / "policy.yaml"
    head = {"version": 1, "service": "chat", "owners": ["@acme"], "backend": backend}
    path.write_text(yaml.safe_dump({**head, "slos": list(slos), "tiers": TIERS}), encoding="utf-8")
    return path


def ask(
    capsys: pytest.CaptureFixture[str], path: Path, *options: str, by: str = "prompt_template"
) -> list[dict[str, Any]]:
    """Return the SLOs of the report, which must be whole."""
    code = main(["cohorts", str(path), "--by", by, "--at", NOW, "--format", "json", *options])
    out = capsys.readouterr()
    assert code == 0, out.err + out.out
    (service,) = json.loads(out.out)["services"]
    slos: list[dict[str, Any]] = service["slos"]
    return slos


def outcomes(one: dict[str, Any]) -> dict[str, str]:
    return {group["value"]: group["comparison"]["outcome"] for group in one["groups"]}


def test_every_group_is_counted_as_it_happened_and_the_planted_one_burns_six_times_as_much(
    backend: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services = "planted", "mix", "calm"
    found = ask(capsys, policy(tmp_path, backend, *(slo(one, backend) for one in services)))

    for service, one in zip(services, found, strict=True):
        counted = {group["value"]: (group["total"], group["bad"]) for group in one["groups"]}
        known = by_template(service)
        assert counted == {name: pytest.approx(counts, rel=1e-9) for name, counts in known.items()}
        budget = 0.01 * sum(total for total, _ in known.values())
        for group in one["groups"]:
            assert group["budget_share"] == pytest.approx(known[group["value"]][1] / budget)
    planted, mix, calm = found
    worst = planted["groups"][0]
    low, high = worst["comparison"]["crude"]["ratio_interval"]
    assert worst["value"] == "v7"
    assert low < 6 < high
    assert outcomes(planted)["v7"] == "worse"
    assert outcomes(mix)["v7"] == "worse"  # as long as nobody looks at the mix
    assert set(outcomes(calm).values()) == {"none"}


def test_within_each_model_the_planted_one_is_still_worse_and_the_other_is_the_mix(
    backend: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = policy(tmp_path, backend, slo("planted", backend), slo("mix", backend))

    planted, mix = ask(capsys, path, "--stratify-by", "model", "--baseline", "v6")

    assert {one["value"]: one["comparison"] for one in mix["groups"]}["v6"] is None
    for one, outcome, ratio in ((planted, "worse", 6), (mix, "mix", 1)):
        v7 = next(group for group in one["groups"] if group["value"] == "v7")["comparison"]
        low, high = v7["stratified"]["ratio_interval"]
        assert v7["outcome"] == outcome
        assert low < ratio < high


def test_the_command_says_it_plainly(servers: dict[str, str], tmp_path: Path) -> None:
    backend = {"type": "prometheus", "url": servers["victoria"]}
    path = policy(tmp_path, backend, slo("planted", backend))
    asked = ["cohorts", str(path), "--by", "prompt_template", "--stratify-by", "model", "--at", NOW]

    done = gate(*asked, env={"COLUMNS": "130"})

    said = " ".join(done.stdout.split())
    assert done.exit_code == 0, done.stderr
    assert said.startswith("✖ 1 COHORT BURNS MORE chat planted prompt_template v7 burns 6.")
    assert "x as fast as the rest (5." in said
    assert "): the mix of model does not explain it" in said


def test_a_histogram_is_distinguished_as_counters_are(
    servers: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = {"type": "prometheus", "url": servers["prometheus"]}
    bucket = 'llm_seconds_bucket{service="planted",le="2"}'
    sli = {"good": bucket, "total": 'llm_seconds_count{service="planted"}'}
    path = policy(tmp_path, backend, {**slo("planted", backend), "sli": sli})

    (found,) = ask(capsys, path)

    assert {group["value"]: round(group["bad"]) for group in found["groups"]} == {
        name: bad for name, (_, bad) in by_template("planted").items()
    }


@pytest.mark.parametrize("server", ["prometheus", "victoria"])
def test_a_total_that_is_made_of_parts_is_distinguished_as_one_that_is_not(
    servers: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], server: str
) -> None:
    backend = {"type": "prometheus", "url": servers[server]}
    passed, failed = (
        f'sum(increase(llm_requests_total{{service="calm",code="{code}"}}[$window]))'
        for code in (200, 500)
    )
    sli = {"bad": failed, "total": f"{passed} + ({failed} or vector(0))"}
    path = policy(tmp_path, backend, {**slo("calm", backend), "sli": sli})

    (found,) = ask(capsys, path)

    counted = {group["value"]: (group["total"], group["bad"]) for group in found["groups"]}
    assert counted == {name: pytest.approx(counts) for name, counts in by_template("calm").items()}


def test_all_slos_of_a_run_are_one_query_however_many_groups_there_are(
    servers: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with counting_proxy(servers["prometheus"]) as proxy:
        backend = {"type": "prometheus", "url": proxy.url}
        slos = [slo(one, backend) for one in ("planted", "mix", "calm")]
        ask(capsys, policy(tmp_path, backend, *slos), "--stratify-by", "model")

    assert proxy.traffic.requests == 1


def test_what_is_not_among_the_busiest_is_one_group(
    backend: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = ask(capsys, policy(tmp_path, backend, slo("calm", backend)), "--top", "3")

    known = by_template("calm")
    others = {name: known[name] for name in ("v8", "")}
    rest = next(group for group in found["groups"] if group["value"] == "(others)")
    assert rest["total"] == pytest.approx(sum(total for total, _ in others.values()))
    assert rest["bad"] == pytest.approx(sum(bad for _, bad in others.values()))
    assert "only the 3 busiest of 5 values of prompt_template" in found["notes"][0]


def test_a_field_within_a_column_is_distinguished(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = {"type": "logs", "path": str(rows), "timestamp": "ts"}
    (found,) = ask(capsys, policy(tmp_path, logs, slo("mix", logs)), by="prompt.template")

    assert {group["value"]: group["total"] for group in found["groups"]} == {
        name: total for name, (total, _) in by_template("mix").items()
    }
    assert sum(total for total, _ in truth("mix").values()) == sum(
        group["total"] for group in found["groups"]
    )


def test_a_label_that_is_not_there_is_undecided_and_the_nearest_is_named(
    backend: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = policy(tmp_path, backend, slo("calm", backend))

    code = main(["cohorts", str(path), "--by", "promt_template", "--at", NOW, "--format", "json"])

    report = json.loads(capsys.readouterr().out)
    reason = report["services"][0]["slos"][0]["unmeasured"]["reason"]
    assert code == report["exit_code"] == 3
    assert "there are: prompt_template" in reason


def test_what_the_chronic_failures_share_is_found_without_being_requested(
    tmp_path: Path, backend: Backend
) -> None:
    path = policy(tmp_path, backend, slo("mix", backend))
    counts = {
        (label, value): cell_counts(label, value)
        for label, value in (("model", "large"), ("prompt_template", "v7"), ("", ""))
    }
    total, bad = counts["", ""]

    done = gate("incidents", str(path), "--at", NOW, "--last", "7d", "--format", "json")
    (found,) = json.loads(done.stdout)["services"][0]["slos"]

    assert found["burned"]["bad"] == pytest.approx(bad, rel=0.01)
    assert found["burned"]["chronic_share"] > 0.9
    standouts = {one["label"]: one for one in found["chronic_labels"]["standouts"]}
    assert {label: one["value"] for label, one in standouts.items()} == {
        "model": "large",
        "prompt_template": "v7",
    }
    for label, one in standouts.items():
        events, failed = counts[label, one["value"]]
        assert one["share_of_bad"] == pytest.approx(failed / bad, abs=0.03)
        assert one["share_of_events"] == pytest.approx(events / total, abs=0.01)


def cell_counts(label: str, value: str) -> tuple[int, int]:
    """Return the requests of ``mix``, and those that failed, with a value of a label, or all."""
    cells = [
        counts
        for cell, counts in events("mix").items()
        if value in {"", cell.model if label == "model" else cell.template}
    ]
    pairs = [pair for counts in cells for pair in counts]
    return sum(total for total, _ in pairs), sum(bad for _, bad in pairs)
