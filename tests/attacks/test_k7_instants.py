"""K7: no other moment than this one opens a door, and no decision holds for long."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.attacks.decisions import Deploy, refused, resealed
from tests.attacks.world import SHIPS, World
from tests.command import Result, gate


def at(before: timedelta) -> str:
    return f"{datetime.now(UTC) - before:%Y-%m-%dT%H:%M:%SZ}"


def check(world: World, *arguments: str) -> Result:
    """Run the command without taking the instant that it states for the present."""
    words = ("check", "gate.yaml", *arguments)
    return gate(*words, cwd=world.checkout, env=world.environment(), at_is_now=False)


PAST = {
    "six minutes": timedelta(minutes=6),
    "an hour": timedelta(hours=1),
    "a day": timedelta(days=1),
    "a year": timedelta(days=366),
}


@pytest.mark.parametrize("ago", PAST)
@pytest.mark.parametrize("more", [(), ("--fail-on", "warn"), ("--environment", "production")])
def test_what_was_allowed_then_does_not_ship_now(
    deploy: Deploy, ago: str, more: tuple[str, ...]
) -> None:
    done = check(deploy.world, "--change", "canary", "--at", at(PAST[ago]), *more)
    assert done.exit_code == 3
    assert "UNDECIDED (allow then, which lets nothing ship now)" in done.stdout
    assert "only a current decision lets a change ship" in " ".join(done.stdout.split())


def test_what_was_blocked_then_stays_blocked(deploy: Deploy) -> None:
    done = check(deploy.world, "--change", "full-rollout", "--at", at(timedelta(days=1)))
    assert done.exit_code == 10
    assert "BLOCK" in done.stdout


def test_no_override_opens_the_door_of_another_moment(deploy: Deploy) -> None:
    then = datetime.now(UTC) - timedelta(days=1)
    until = f"{then + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    glass = ("--override", "the fix", "--override-approved-by", "@grace", "--override-until", until)
    done = check(deploy.world, "--change", "full-rollout", "--at", at(timedelta(days=1)), *glass)
    assert done.exit_code == 10


@pytest.mark.parametrize("ahead", [timedelta(seconds=30), timedelta(days=1), timedelta(days=366)])
def test_the_future_is_not_predicted(deploy: Deploy, ahead: timedelta) -> None:
    done = check(deploy.world, "--change", "canary", "--at", at(-ahead))
    assert done.exit_code not in SHIPS


@pytest.mark.parametrize("seconds", [0, 1, 60, 280])
def test_the_beginning_of_the_pipeline_is_the_present(deploy: Deploy, seconds: int) -> None:
    deploy.world.checkout.joinpath("d.json").unlink(missing_ok=True)
    when = at(timedelta(seconds=seconds))
    done = check(deploy.world, "--change", "canary", "--at", when, "--write", f"json={deploy.file}")
    assert done.exit_code == 0
    assert deploy.verify().exit_code == 0


def test_the_present_is_no_longer_than_a_decision_may_be_used(world: World) -> None:
    world.commit("short", {"gate.yaml": f"{world.policy}valid_for: 1m\n"})
    world.pushed()
    world.check_out()
    for seconds, code in ((30, 0), (90, 3)):
        when = at(timedelta(seconds=seconds))
        assert check(world, "--change", "canary", "--at", when).exit_code == code


def test_one_may_look_at_the_past(deploy: Deploy) -> None:
    done = check(deploy.world, "--change", "canary", "--at", at(timedelta(days=1)), "--dry-run")
    assert done.exit_code == 0
    assert "ALLOW (dry run: not enforced, exit code 0)" in done.stdout


def test_a_freeze_that_has_begun_since_is_not_gone_round(world: World) -> None:
    start, end = at(timedelta(hours=1)), at(timedelta(hours=-1))
    freeze = f"freezes: [{{from: {start}, to: {end}, reason: peak, allow: [rollback]}}]\n"
    world.commit("freeze", {"gate.yaml": world.policy + freeze})
    world.pushed()
    world.check_out()
    assert check(world, "--change", "canary").exit_code == 10
    assert check(world, "--change", "canary", "--at", at(timedelta(hours=2))).exit_code == 3


def test_no_format_says_yes_to_what_was_allowed_then(deploy: Deploy) -> None:
    forms = ("json", "dotenv", "gitlab", "markdown", "sarif")
    outputs = [word for form in forms for word in ("--write", f"{form}={deploy.file}.{form}")]
    check(deploy.world, "--change", "canary", "--at", at(timedelta(days=1)), *outputs)
    texts = {form: deploy.file.with_name(f"decision.json.{form}").read_text() for form in forms}
    document = json.loads(texts["json"])
    assert (document["verdict"], document["exit_code"]) == ("undecided", 3)
    assert document["mode"] == "stated-instant"
    assert document["policies"][0]["verdict"] == "allow"
    assert "GATE_VERDICT=undecided\nGATE_EXIT_CODE=3\n" in texts["dotenv"]
    assert "ALLOW" not in texts["gitlab"] + texts["markdown"]
    assert json.loads(texts["sarif"])["runs"][0]["properties"]["verdict"] == "undecided"


def test_a_decision_on_another_moment_never_holds(deploy: Deploy) -> None:
    words = ("--change", "canary", "--at", at(timedelta(minutes=10)))
    check(deploy.world, *words, "--write", f"json={deploy.file}")
    assert refused(deploy.verify(), "about another moment")
    document = json.loads(deploy.file.read_text())
    said = {"mode": "enforced", "exit_code": 0}
    assert refused(deploy.verify(resealed(document | said)), "is not the worst of its policies'")


@pytest.mark.variants(2)
@pytest.mark.parametrize("length", ["24h1s", "25h", "2d", "36500d", "5200w"])
def test_a_policy_whose_decisions_last_too_long_is_refused_with_its_place(
    world: World, length: str
) -> None:
    world.commit("long", {"gate.yaml": f"{world.policy}valid_for: {length}\n"})
    world.pushed()
    world.check_out()
    done = check(world, "--change", "canary")
    line = len(world.policy.splitlines()) + 1
    assert done.exit_code == 2
    assert f"gate.yaml:{line}:12: error: {length} is too long" in done.stderr
    assert "24h at most" in done.stderr


@pytest.mark.parametrize("length", ["24h", "1d", "1m"])
def test_a_day_is_not_too_long(world: World, length: str) -> None:
    world.commit("a day", {"gate.yaml": f"{world.policy}valid_for: {length}\n"})
    world.pushed()
    world.check_out()
    assert check(world, "--change", "canary").exit_code == 0
