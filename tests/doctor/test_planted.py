"""Each fault on a real server is found, and is the only thing found; nothing on a healthy one."""

from pathlib import Path

import pytest

from tests.doctor.asking import Outcome, examine, levels, run, write_policy, wrong
from tests.doctor.planted import HEALTHY, PLANTED, SICK, Planted
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy


@pytest.fixture(scope="session", params=["prometheus", "victoria"])
def server(request: pytest.FixtureRequest) -> tuple[str, Server]:
    found: Server = request.getfixturevalue(f"planted_{request.param}")
    return str(request.param), found


@pytest.fixture(scope="session")
def examined(
    server: tuple[str, Server], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Outcome]:
    """Return what the installed command says of every service, in one run."""
    name, found = server
    slos = [planted.slo(service) for service, planted in PLANTED.items()]
    backend = {"type": "prometheus", "url": found.url}
    return name, examine(write_policy(tmp_path_factory.mktemp("policy"), backend, slos))


@pytest.mark.variants(2)
@pytest.mark.parametrize(("name", "planted"), HEALTHY.items(), ids=HEALTHY)
def test_nothing_is_found_where_nothing_is_wrong(
    name: str, planted: Planted, examined: tuple[str, Outcome]
) -> None:
    assert not planted.finds
    assert wrong(examined[1].slos[name]) == []


@pytest.mark.parametrize(("name", "planted"), SICK.items(), ids=SICK)
def test_what_is_planted_is_found_and_nothing_else(
    name: str, planted: Planted, examined: tuple[str, Outcome]
) -> None:
    kind, outcome = examined
    other = kind == "victoria" and planted.victoria is not None
    expected = planted.victoria if other else planted.finds
    assert levels(outcome.slos[name]) == expected
    if kind == "prometheus":
        told = " ".join(f"{one['message']}; {one['remedy']}" for one in wrong(outcome.slos[name]))
        assert [words for words in planted.words if words not in told] == [], told


def test_every_finding_says_what_was_examined_and_what_to_do(
    examined: tuple[str, Outcome],
) -> None:
    found = [one for slo in examined[1].slos.values() for one in wrong(slo)]
    assert found
    assert [
        one for one in found if not (one["message"] and one["remedy"] and one["examined"])
    ] == []


def test_a_fault_makes_exit_code_12(examined: tuple[str, Outcome]) -> None:
    assert examined[1].code == examined[1].report["exit_code"] == 12
    assert examined[1].policy["level"] == "fault"


def test_a_healthy_policy_is_sound_and_says_what_was_examined(
    server: tuple[str, Server], tmp_path: Path
) -> None:
    backend = {"type": "prometheus", "url": server[1].url}
    slos = [planted.slo(name) for name, planted in HEALTHY.items()]
    done = run(write_policy(tmp_path, backend, slos))

    assert done.exit_code == 0, done
    assert done.stdout.startswith("✔ SOUND  chat\n")
    assert "✖" not in done.stdout
    assert "▲" not in done.stdout
    assert "✔ healthy        1,440 bad of 145,440" in done.stdout
    assert "  counters only grow, except at restarts " in done.stdout
    assert "Known          " in done.stdout, "the caveats of the preset"


def test_a_doubt_alone_is_not_an_error(planted_prometheus: Server, tmp_path: Path) -> None:
    backend = {"type": "prometheus", "url": planted_prometheus.url}
    done = run(write_policy(tmp_path, backend, [SICK["young"].slo("young")]))

    assert done.exit_code == 0
    assert done.stdout.startswith("▲ 1 DOUBT  chat\n")


@pytest.mark.slow
def test_an_slo_is_examined_in_three_round_trips(
    planted_prometheus: Server, tmp_path: Path
) -> None:
    # What the server has with a preset, the checks, and clues to what is missing.
    slos = [SICK["class"].slo("class"), HEALTHY["preset"].slo("preset")]
    with counting_proxy(planted_prometheus.url, latency=1) as proxy:
        backend = {"type": "prometheus", "url": proxy.url}
        assert examine(write_policy(tmp_path, backend, slos)).code == 12
        assert proxy.traffic.round_trips <= 3


@pytest.mark.slow
def test_forty_slos_need_less_than_two_queries_each(
    planted_prometheus: Server, tmp_path: Path
) -> None:
    with counting_proxy(planted_prometheus.url) as proxy:
        backend = {"type": "prometheus", "url": proxy.url, "parallel": 8}
        slos = [planted.slo(service) for service, planted in PLANTED.items()]
        assert len(slos) >= 40
        assert examine(write_policy(tmp_path, backend, slos)).code == 12
        assert proxy.traffic.requests <= 2 * len(slos)
