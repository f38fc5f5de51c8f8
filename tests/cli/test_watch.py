"""``gate watch`` as it is called: on request logs, with its state in a file, and with signals."""

import json
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jsonschema
import pytest

from gate.cli import watch_options, watching
from gate.decision.seal import sealed
from tests.cli.watched import AT, BOTH, MINUTE, START, WATCHED, replay, rows
from tests.command import Run


def test_recorded_logs_of_a_healthy_canary_end_with_exit_code_0(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs()

    done = replay(gate)

    assert done.exit_code == 0
    assert done.stdout.startswith("✔ HEALTHY  track=canary of chat\n")
    assert "more of its requests fail; 10% is allowed" in done.stdout
    assert "track=canary may get more traffic" in done.stdout
    assert "3.3% of 900" in done.stdout
    assert "1.7% of 1,800" in done.stdout
    assert "30m of 30m watched" in done.stderr


def test_recorded_logs_of_a_worse_canary_end_with_exit_code_10_and_say_why(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs(canary=15)

    done = replay(gate)

    assert done.exit_code == 10
    assert done.stdout.startswith("✖ ROLL BACK  track=canary of chat\n")
    assert "it fails more often than the baseline" in " ".join(done.stdout.split())
    assert "roll track=canary back" in done.stdout
    assert "Saved " in done.stdout


def test_too_few_requests_end_with_exit_code_3_and_how_much_longer_it_takes(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs()

    done = gate("watch", *BOTH, "--for", "2m", "--at", AT)

    assert done.exit_code == 3
    assert done.stdout.startswith("? CANNOT TELL  track=canary of chat\n")
    assert "more of this traffic would show it" in done.stdout
    assert "watch for " in done.stdout


def test_a_canary_that_fails_more_at_the_end_is_watched_on(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    # Two of five requests of the canary fail in the last three minutes of half an hour.
    write_logs(canary=0, minutes=27)
    worse = rows(13, canary=12, start=START + 27 * MINUTE)
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join([log.read_text().strip(), *worse, ""]))

    done = replay(gate)

    assert done.exit_code == 3
    shown = " ".join(done.stdout.split())
    assert "10% is allowed, and at present more of them fail than that Spent" in shown
    assert "Next watch on, which shows whether that lasts; promote nothing until then" in shown


def test_logs_that_end_too_soon_end_with_exit_code_3(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs(minutes=25)

    done = replay(gate)

    assert done.exit_code == 3
    assert "5 of 30 steps have no data" in done.stdout


@pytest.mark.variants(1)
@pytest.mark.parametrize("canary", [1, 15])
def test_the_document_has_the_shape_of_its_schema(
    gate: Run, write_logs: Callable[..., None], canary: int
) -> None:
    write_logs(canary=canary)

    done = replay(gate, "--format", "json", "--max-spend", "90%")

    document = json.loads(done.stdout)
    schema = json.loads(files("gate").joinpath("schemas/watch.schema.json").read_text())
    jsonschema.validate(document, schema)
    assert json.loads(gate("schema", "watch").stdout) == schema
    (slo,) = document["slos"]
    watched = len(slo["steps"])
    assert document["exit_code"] == done.exit_code == (10 if canary > 1 else 0)
    assert document["verdict"] == ("roll-back" if canary > 1 else "healthy")
    assert slo["canary"] == {
        "total": 30 * watched,
        "bad": canary * watched,
        "error_ratio": pytest.approx(canary / 30),
    }
    assert slo["steps"][0] == [30, canary, 60, 1]
    # Half a failure a minute at the baseline's ratio. Of the 3,600 requests before, 360 may fail.
    assert slo["budget_spent"] == pytest.approx((canary - 0.5) * watched / 360)
    assert slo["limit"] == {"most": 0.9, "expected": None, "promised": False}


def test_markdown_has_the_numbers_and_a_small_chart(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs(canary=15)

    text = replay(gate, "--format", "markdown").stdout

    assert text.startswith("## ⛔ ROLL BACK: track=canary of chat")
    assert "| SLO |" in text
    assert "track=canary  █" in text


def test_without_a_baseline_the_canary_is_compared_with_the_budget(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs(canary=15)

    done = gate("watch", "--canary", "track=canary", "--for", "30m", "--at", AT)

    assert done.exit_code == 10
    assert "it fails more often than the budget allows" in " ".join(done.stdout.split())
    assert "Baseline" not in done.stdout


def test_two_labels_are_grouped_by_both(gate: Run, write_logs: Callable[..., None]) -> None:
    write_logs(canary=15)

    done = gate(
        *("watch", "--canary", "track=canary", "--baseline", "status=200"),
        *("--for", "10m", "--at", AT),
    )

    assert done.exit_code == 10
    assert "status=200" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "Missing option '--canary'"),
        (("--canary", "canary", "--for", "1h"), "'canary' is not of the form LABEL=VALUE"),
        (("--canary", "=x", "--for", "1h"), "'=x' is not of the form LABEL=VALUE"),
        (("--canary", "a=b"), "Missing option '--for'"),
        (("--canary", "a=b", "--baseline", "a=b", "--for", "1h"), "are equal"),
        (("--canary", "a=b", "--for", "30s"), "--every is longer than --for"),
        (("--canary", "a=b", "--for", "1h", "--every", "500ms"), "--every is shorter than 1s"),
        (
            ("--canary", "a=b", "--for", "30d", "--every", "10s"),
            "--every is too short for --for: at most 20,000 looks",
        ),
        (("--canary", "a=b", "--for", "1h", "--margin", "0%"), "must be above 0%"),
        (("--canary", "a=b", "--for", "1h", "--resume"), "--resume needs --state"),
        (("--canary", "a=b", "--for", "1h", "--slo", "availabilty"), "did you mean 'availability'"),
        (("other.yaml", "gate.yaml", "--canary", "a=b", "--for", "1h"), "a single policy"),
        (("--canary", "a=b", "--for", "1h", "--state", "no/folder.json"), "could not be written"),
        (("--canary", "a=b", "--for", "1h", "--trigger", "none.json"), "cannot be read"),
    ],
)
def test_a_mistake_is_reported_at_the_start(
    gate: Run, write_logs: Callable[..., None], options: tuple[str, ...], message: str
) -> None:
    write_logs()

    done = gate("watch", *options)

    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_a_backend_without_events_is_refused_at_the_start(
    gate: Run, write_policy: Callable[..., Path]
) -> None:
    write_policy()

    done = gate("watch", *BOTH, "--for", "1h")

    assert done.exit_code == 2
    assert done.stderr == (
        "gate: gate.yaml: the backend static cannot separate events by labels; a watch needs"
        " prometheus, logs or an SQL engine\n"
    )


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("slos", "message"),
    [
        (
            "  - {name: up, objective: 99%, window: 1h, timeslices: {length: 1m, target: 99%},"
            " sli: {bad: status >= 500}}\n",
            "gate: gate.yaml: the SLO up cannot be compared: it counts slices of time, which belong"
            " to neither the canary nor the baseline; watch the others: --slo availability\n",
        ),
        (
            "  - {name: cost, allowance: 5 USD, window: 30d, sli: {spent: status}}\n",
            "gate: gate.yaml: the SLO cost cannot be compared: spend is an amount, not a count of"
            " events; watch the others: --slo availability\n",
        ),
    ],
)
def test_an_slo_that_cannot_be_compared_is_refused_and_the_others_are_named(
    gate: Run, write_logs: Callable[..., None], slos: str, message: str
) -> None:
    write_logs(text=WATCHED.replace("tiers:", f"{slos}tiers:"))

    refused = replay(gate)
    named = replay(gate, "--slo", "availability")

    assert (refused.exit_code, refused.stderr) == (2, message)
    assert named.exit_code == 0


def test_a_policy_of_nothing_that_could_be_compared_says_so(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    only = "{name: cost, allowance: 5 USD, window: 30d, sli: {spent: status}}"
    lines = [
        f"  - {only}" if line.startswith("  - {name: availability") else line
        for line in WATCHED.splitlines()
    ]
    write_logs(text="\n".join(lines))

    assert replay(gate).stderr.endswith("; the policy has no other\n")


def test_the_state_is_kept_and_gone_on_with(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs()
    first = replay(gate, "--state", "watch.json")
    state = json.loads((tmp_path / "watch.json").read_text())
    (tmp_path / "log.jsonl").write_text("")  # all of it is in the state

    refused = replay(gate, "--state", "watch.json")
    again = replay(gate, "--state", "watch.json", "--resume")

    assert len(state["settled"]["availability"]) == 30
    assert refused.exit_code == 2
    assert "watch.json exists already: continue it with --resume, or remove it" in refused.stderr
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "continuing watch.json, from its look 1" in again.stderr


def test_to_resume_without_a_file_is_to_begin(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs()

    done = replay(gate, "--state", "watch.json", "--resume")

    assert done.exit_code == 0
    assert (tmp_path / "watch.json").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def _without_seconds(state: dict[str, Any]) -> None:
    del state["start"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.update(kind="decision"), "it is not the state of a watch"),
        (lambda state: state.update(version=2), "another version of gate has written it"),
        (
            lambda state: state.update(canary="track=v2"),
            'it is of a watch with another canary ("track=v2", and not "track=canary")',
        ),
        (
            lambda state: state.update(policy_sha256="0" * 64),
            "it is of a watch with another policy, or the policy has changed since",
        ),
        (lambda state: state.update(margin="1/2"), "another margin"),
        (lambda state: state.update(for_seconds=60.0), "another length (1m, and not 30m)"),
        (
            lambda state: state.update(every_seconds=None),
            "another time between two looks (null, and not 1m)",
        ),
        (_without_seconds, "its start or its number of steps is missing"),
        (lambda state: state.update(steps=True), "its start or its number of steps is missing"),
        (lambda state: state.update(steps=-1), "its start or its number of steps is missing"),
        (lambda state: state.update(steps=10), "it has 10 steps, and this watch has 30"),
        (lambda state: state.update(looks="3"), "its start or its number of steps is missing"),
        (lambda state: state.update(settled=[]), "its steps are missing"),
        (
            lambda state: state.update(settled={"availability": {}}),
            "its steps are missing",
        ),
        (
            lambda state: state["settled"]["availability"].append([99, 1, 0, 1, 0]),
            "a step of availability is not one of the watch",
        ),
        (
            lambda state: state["settled"]["availability"].append([3, 1, 0, 1, 0]),
            "a step of availability is not one of the watch",
        ),
        (
            lambda state: state["settled"].update(availability=[7]),
            "a step of availability is not one of the watch",
        ),
        (
            lambda state: state["settled"].update(availability=[[7, 1, 2, 3, 0]]),
            "the counts of a step of availability are not possible",
        ),
        (
            lambda state: state["settled"].update(availability=[[7, 1, 0, 3]]),
            "the counts of a step of availability are not possible",
        ),
        (
            lambda state: state["settled"].update(availability=[[7, 1, 0, 3, True]]),
            "the counts of a step of availability are not possible",
        ),
    ],
)
def test_a_state_of_something_else_is_refused_with_what_to_do(
    gate: Run,
    write_logs: Callable[..., None],
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    message: str,
) -> None:
    write_logs()
    replay(gate, "--state", "watch.json")
    state = json.loads((tmp_path / "watch.json").read_text())
    change(state)
    (tmp_path / "watch.json").write_text(json.dumps(state))

    done = replay(gate, "--state", "watch.json", "--resume")

    assert done.exit_code == 2
    assert message in done.stderr
    assert "remove the file to watch from now on" in done.stderr
    assert done.stdout == ""


@pytest.mark.variants(2)
@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": 1e999}', '{"a": 1, "a": 2}', "\xff"])
def test_a_state_that_is_cut_off_or_something_else_is_refused(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path, content: str
) -> None:
    write_logs()
    (tmp_path / "watch.json").write_bytes(content.encode("latin-1"))

    done = replay(gate, "--state", "watch.json", "--resume")

    assert done.exit_code == 2
    assert "watch.json cannot be gone on with: " in done.stderr


def test_a_state_that_is_a_folder_or_lies_in_the_future_is_refused(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs()
    (tmp_path / "folder").mkdir()
    replay(gate, "--state", "watch.json")
    state = json.loads((tmp_path / "watch.json").read_text())
    (tmp_path / "watch.json").write_text(json.dumps({**state, "start": "2999-01-01T00:00:00Z"}))

    folder = replay(gate, "--state", "folder", "--resume")
    future = replay(gate, "--state", "watch.json", "--resume")

    assert (folder.exit_code, future.exit_code) == (2, 2)
    assert "folder is not the state of a watch" in folder.stderr
    assert "begins at 2999-01-01 00:00:00 UTC, which is in the future" in future.stderr


def test_a_state_that_is_left_over_from_another_deploy_is_refused(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs()
    replay(gate, "--state", "watch.json")

    now = gate("watch", *BOTH, "--for", "30m", "--state", "watch.json", "--resume")
    later = ("--for", "30m", "--at", "2026-11-20T15:31:00Z", "--state", "watch.json", "--resume")
    too_late = gate("watch", *BOTH, *later)
    soon = gate("watch", *BOTH, *later[:3], "2026-11-20T15:30:00Z", *later[4:])

    assert (now.exit_code, too_late.exit_code, soon.exit_code) == (2, 2, 0)
    assert "watch.json is of a watch that ended at 2026-11-20 14:30 UTC, long ago" in now.stderr
    assert "remove the file to watch from now on, or write --at 2026-11-20T14:00:00Z" in now.stderr


@pytest.mark.parametrize(
    ("arms", "margin", "least"),
    [(BOTH, "1000%", "1000%"), (BOTH, "5000%", "1000%"), (BOTH[:2], "900%", "900%")],
)
def test_a_margin_that_lets_every_request_fail_is_refused(
    gate: Run,
    write_logs: Callable[..., None],
    arms: tuple[str, ...],
    margin: str,
    least: str,
) -> None:
    write_logs()

    done = gate("watch", *arms, "--for", "30m", "--at", AT, "--margin", margin)

    assert done.exit_code == 2
    assert f"--margin {margin} lets every request of availability fail" in done.stderr
    assert f"write less than {least}" in done.stderr


@pytest.mark.parametrize("label", ["status=200", "status < 500=true"])
def test_a_label_that_is_a_part_of_the_outcome_cannot_be_that_of_the_canary(
    gate: Run, write_logs: Callable[..., None], label: str
) -> None:
    write_logs(canary=15)

    done = gate("watch", "--canary", label, *BOTH[2:], "--for", "30m", "--at", AT)

    assert done.exit_code == 2
    assert "is part of what makes an event of availability bad" in done.stderr
    assert "use another label" in done.stderr


def test_a_state_that_cannot_be_written_any_more_is_a_warning(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs()
    written = 0

    def create(path: Path, text: str) -> None:
        nonlocal written
        written += 1
        if written > 1:
            raise OSError(28, "No space left on device")
        path.write_text(text)

    with patch.object(watch_options, "create_whole", create):
        done = replay(gate, "--state", "watch.json")

    assert done.exit_code == 0
    assert "gate: warning: watch.json could not be written: No space left" in done.stderr


def test_a_command_for_a_rollback_finds_the_report_in_its_environment(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs(canary=15)
    script = 'cp "$GATE_WATCH_FILE" seen.json; env | grep ^GATE_WATCH_ | sort > seen.env; exit 4'

    done = replay(gate, "--on-rollback", script)

    assert done.exit_code == 10
    assert "gate: warning: the command for a rollback has failed with exit code 4" in done.stderr
    assert json.loads((tmp_path / "seen.json").read_text())["verdict"] == "roll-back"
    lines = (tmp_path / "seen.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines)
    assert values.keys() == {
        f"GATE_WATCH_{name}"
        for name in ("BASELINE", "CANARY", "FILE", "REASON", "SERVICE", "SLO", "VERDICT")
    }
    assert values["GATE_WATCH_SLO"] == "availability"
    assert values["GATE_WATCH_CANARY"] == "track=canary"
    assert not Path(values["GATE_WATCH_FILE"]).exists()


def test_the_command_is_not_run_for_a_healthy_canary(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs()

    replay(gate, "--on-rollback", "touch ran")

    assert not (tmp_path / "ran").exists()


def test_a_command_that_succeeds_is_reported_and_no_data_is_read_by_its_shell(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs(canary=15)
    log = tmp_path / "log.jsonl"
    hostile = "$(touch hurt)`touch hurt`; touch hurt"
    log.write_text(log.read_text().replace('"canary"', json.dumps(hostile)))

    done = gate(
        *("watch", "--canary", f"track={hostile}", "--for", "30m", "--at", AT),
        *("--on-rollback", 'printf %s "$GATE_WATCH_CANARY" > canary'),
    )

    assert "the command for a rollback has succeeded" in done.stderr
    assert (tmp_path / "canary").read_text() == f"track={hostile}"
    assert not (tmp_path / "hurt").exists()


def test_a_command_that_takes_too_long_is_ended(gate: Run, write_logs: Callable[..., None]) -> None:
    write_logs(canary=15)

    with patch.object(watching, "_COMMAND_SECONDS", 0.2):
        done = replay(gate, "--on-rollback", "sleep 60; echo never")

    assert done.exit_code == 10
    assert "the command for a rollback was ended after 0 s" in done.stderr
    assert "never" not in done.stderr


def test_a_part_of_a_link_in_the_checkout_is_never_written_through(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    done = replay(gate, "--state", "link/watch.json")

    assert done.exit_code == 2
    assert "symbolic link" in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


TRIGGERED = WATCHED.replace('remaining: "> 50%"', 'remaining: "> 20%"')


def write_trigger(gate: Run, *more: str, env: dict[str, str] | None = None) -> None:
    done = gate(
        *("check", "--change", "canary", "--at", AT, "--policy-ref", "none", "--trigger", "t.json"),
        *("--impact", "canary=10%,failures=50%,detect=5m", *more),
        env=env,
    )
    assert done.exit_code == 0


@pytest.mark.slow
def test_a_canary_is_held_to_what_was_promised_before_the_change(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs(canary=6, text=TRIGGERED)
    write_trigger(gate)
    (promise,) = json.loads((tmp_path / "t.json").read_text())["policies"][0]["slos"]

    done = replay(gate, "--trigger", "t.json", "--format", "json")
    shown = replay(gate, "--trigger", "t.json")

    document = json.loads(done.stdout)
    limit = document["slos"][0]["limit"]
    assert limit == {
        "most": pytest.approx(promise["largest_loss"]),
        "expected": pytest.approx(promise["expected_cost"]),
        "promised": True,
    }
    assert document["change"] == "canary"
    assert done.exit_code == 10
    assert "the trigger expected" in " ".join(shown.stdout.split())


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("doctor", "message"),
    [
        (lambda text: text.replace('"canary"', '"rollback"', 1), "is refused: "),
        (lambda _: "{}", "is refused: it is not a trigger of gate check"),
        (lambda _: "", "is refused: "),
    ],
)
def test_a_trigger_that_was_altered_is_refused(
    gate: Run,
    write_logs: Callable[..., None],
    tmp_path: Path,
    doctor: Callable[[str], str],
    message: str,
) -> None:
    write_logs(text=TRIGGERED)
    write_trigger(gate)
    (tmp_path / "t.json").write_text(doctor((tmp_path / "t.json").read_text()))

    done = replay(gate, "--trigger", "t.json")

    assert done.exit_code == 2
    assert f"the trigger t.json {message}" in done.stderr


def test_a_trigger_of_another_text_of_the_policy_is_refused(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs(text=TRIGGERED)
    write_trigger(gate)
    (tmp_path / "gate.yaml").write_text(TRIGGERED + "# another\n")

    done = replay(gate, "--trigger", "t.json")

    assert done.exit_code == 2
    assert "written for another policy than gate.yaml, or before that policy changed" in done.stderr


def test_a_trigger_of_another_environment_is_refused(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs(text=TRIGGERED)
    write_trigger(gate, "--environment", "staging")

    wrong = replay(gate, "--trigger", "t.json", "--environment", "production")
    right = replay(gate, "--trigger", "t.json", "--environment", "staging")

    assert wrong.exit_code == 2
    assert "written for the environment staging; write it again" in wrong.stderr
    assert right.exit_code == 0


def test_a_trigger_must_be_signed_where_there_is_a_key(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    key = {"GATE_SIGNING_KEY": "0123456789abcdef0123456789abcdef"}
    write_logs(text=TRIGGERED)
    write_trigger(gate)
    unsigned = replay(gate, "--trigger", "t.json", env=key)
    write_trigger(gate, env=key)
    signed = replay(gate, "--trigger", "t.json", env=key)
    keyless = replay(gate, "--trigger", "t.json")

    assert (unsigned.exit_code, signed.exit_code, keyless.exit_code) == (2, 0, 2)
    assert "the trigger t.json is refused" in unsigned.stderr
    assert unsigned.stderr.endswith("; write it again with gate check\n")
    assert "if it is signed, set GATE_SIGNING_KEY or GATE_VERIFY_KEY" in keyless.stderr


REVISION, OTHER = "a" * 40, "b" * 40


def run_of(revision: str) -> dict[str, str]:
    """Return the environment of a CI run about a commit."""
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": revision}


def doctored(path: Path, **changes: object) -> None:
    """Write a trigger with other values, and a seal that fits."""
    document = json.loads(path.read_text()) | changes
    del document["seal"]
    path.write_text(json.dumps(sealed(document, None)))


def test_a_trigger_without_an_environment_is_refused_where_one_is_stated(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs(text=TRIGGERED)
    write_trigger(gate)

    done = replay(gate, "--trigger", "t.json", "--environment", "production")

    assert done.exit_code == 2
    assert (
        "written for no environment; write it again with gate check for production" in done.stderr
    )


def test_a_trigger_of_another_commit_is_refused_and_one_of_none_is_not(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs(text=TRIGGERED)
    write_trigger(gate, env=run_of(REVISION))

    right = replay(gate, "--trigger", "t.json", env=run_of(REVISION))
    wrong = replay(gate, "--trigger", "t.json", env=run_of(OTHER))
    doctored(tmp_path / "t.json", revision=None)
    silent = replay(gate, "--trigger", "t.json", env=run_of(OTHER))

    assert (right.exit_code, wrong.exit_code, silent.exit_code) == (0, 2, 0)
    assert f"written for the commit '{REVISION}', and this run is about {OTHER}" in wrong.stderr
    assert "write it again with gate check for that" in wrong.stderr


@pytest.mark.parametrize(
    ("age", "said"), [(timedelta(hours=23), False), (timedelta(hours=30), True)]
)
def test_a_trigger_of_more_than_a_day_ago_is_taken_and_its_age_is_reported(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path, age: timedelta, said: bool
) -> None:
    write_logs(text=TRIGGERED)
    write_trigger(gate)
    doctored(tmp_path / "t.json", evaluated_at=(START - age).isoformat().replace("+00:00", "Z"))

    done = replay(gate, "--trigger", "t.json")

    assert done.exit_code == 0
    assert ("gate: the trigger was written 1d6h before this watch" in done.stderr) is said


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("decided", "code"),
    [
        (("block", False, "enforced"), 2),
        (("undecided", False, "enforced"), 2),
        (("block", False, "stated-instant"), 2),
        (("block", True, "enforced"), 0),
        (("warn", False, "enforced"), 0),
        (("allow", False, "stated-instant"), 0),
    ],
)
def test_a_trigger_of_a_change_that_was_not_allowed_is_refused(
    gate: Run,
    write_logs: Callable[..., None],
    tmp_path: Path,
    decided: tuple[str, bool, str],
    code: int,
) -> None:
    write_logs(text=TRIGGERED)
    write_trigger(gate)
    (policy,) = json.loads((tmp_path / "t.json").read_text())["policies"]
    verdict, overridden, mode = decided
    more = {"policies": [policy | {"verdict": verdict}], "mode": mode}
    doctored(tmp_path / "t.json", verdict=verdict, overridden=overridden, **more)

    done = replay(gate, "--trigger", "t.json")

    assert done.exit_code == code
    assert ("; run gate check again, and deploy nothing" in done.stderr) is (code == 2)


def test_a_trigger_of_another_moment_holds_no_watch_that_begins_now(
    gate: Run, write_logs: Callable[..., None], tmp_path: Path
) -> None:
    write_logs(text=TRIGGERED)
    write_trigger(gate)
    doctored(tmp_path / "t.json", mode="stated-instant")

    done = gate("watch", *BOTH, "--for", "30m", "--trigger", "t.json")

    assert done.exit_code == 2
    assert "its decision is about another moment than the one at which it was made" in done.stderr


@pytest.mark.slow
def test_a_state_of_another_commit_is_not_gone_on_with(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs()
    state = ("--state", "watch.json", "--resume")
    replay(gate, *state, env=run_of(REVISION))

    wrong = replay(gate, *state, env=run_of(OTHER))
    right = replay(gate, *state, env=run_of(REVISION))
    unknown = replay(gate, *state)

    assert (wrong.exit_code, right.exit_code, unknown.exit_code) == (2, 0, 0)
    assert f'another commit ("{REVISION}", and not "{OTHER}"); remove the file' in wrong.stderr


@pytest.mark.variants(1)
@pytest.mark.parametrize("blocked", [True, False])
def test_a_trigger_of_a_blocked_change_and_without_a_limit_is_warned_of(
    gate: Run, write_logs: Callable[..., None], blocked: bool
) -> None:
    text = WATCHED.replace("window: 1h", "window: 30d")
    write_logs(text=text.replace("allow: all", "allow: [rollback]") if blocked else text)
    write_trigger(gate, "--dry-run")

    done = replay(gate, "--trigger", "t.json")

    warning = (
        "gate: warning: the decision of the trigger was to block this change, which did not stop"
    )
    assert (warning in done.stderr) is blocked
    assert "gate: the trigger has no limit for availability: only " in done.stderr
