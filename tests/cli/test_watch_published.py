"""The comment and the commit status of ``gate watch``, and what it shows while it goes on."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from gate.analysis.watch import WatchLook
from gate.analysis.watch.phrases import beginning, lines, live_line, state_of
from gate.analysis.watch.words import output, page
from gate.cli import watching
from gate.cli.watch_options import StateFile
from gate.cli.watching import Watchman, steady_seconds
from gate.errors import ExitCode
from gate.reporters import Style, render_page
from tests.analysis.watching import (
    ALONE,
    HEALTHY,
    MINUTE,
    START,
    Machine,
    minute,
    options,
    watch_minutes,
)
from tests.cli.conftest import EVENT
from tests.cli.watched import replay
from tests.command import Run
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub


@pytest.fixture
def on_github(fake: FakeGitHub, tmp_path: Path) -> dict[str, str]:
    """The environment of a step of a workflow on a pull request."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": EVENT}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": fake.url,
        "GITHUB_TOKEN": TOKEN,
    }


def test_the_status_has_a_name_of_its_own_and_the_verdict(
    gate: Run, write_logs: Callable[..., None], fake: FakeGitHub, on_github: dict[str, str]
) -> None:
    write_logs(canary=1)
    healthy = replay(gate, "--status", "--ci", "github", env=on_github)
    write_logs(canary=15)
    replay(gate, "--status", "--ci", "github", env=on_github)

    posted = [status for _, status in fake.statuses]
    assert [status["state"] for status in posted] == ["pending", "success", "pending", "failure"]
    assert {status["context"] for status in posted} == {"gate/chat//watch"}
    assert posted[1]["description"].startswith("Healthy: track=canary of chat: availability: ")
    assert posted[3]["description"].startswith("Roll back: track=canary of chat: availability: ")
    assert "gate: commit status success: gate/chat//watch" in healthy.stderr


def test_a_watch_that_cannot_begin_leaves_an_error_in_its_own_status(
    gate: Run, write_logs: Callable[..., None], fake: FakeGitHub, on_github: dict[str, str]
) -> None:
    write_logs()

    wrong = gate("watch", "--status", "--ci", "github", "--for", "1h", env=on_github)
    unknown = replay(gate, "--status", "--ci", "github", "--slo", "none", env=on_github)

    assert (wrong.exit_code, unknown.exit_code) == (2, 2)
    assert {status["state"] for _, status in fake.statuses} == {"error"}
    assert {status["context"] for _, status in fake.statuses} == {"gate/chat//watch"}


def test_one_comment_follows_the_watch_beside_that_of_gate_check(
    gate: Run, write_logs: Callable[..., None], fake: FakeGitHub, on_github: dict[str, str]
) -> None:
    write_logs(canary=15)
    check = ("check", "--change", "canary", "--ci", "github", "--policy-ref", "none", "--comment")
    gate(*check, env=on_github)

    first = replay(gate, "--comment", "--ci", "github", env=on_github)
    second = replay(gate, "--comment", "--ci", "github", env=on_github)

    assert "gate: comment created: " in first.stderr
    assert "gate: comment unchanged: " in second.stderr
    _, remark = fake.comments
    assert "⛔ ROLL BACK: track=canary of chat" in remark.body


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def look(place: int = 5, canary: float = 1) -> WatchLook:
    return watch_minutes((minute(canary),) * 60).machine.looks[place]


def test_a_terminal_has_one_line_that_is_written_over_and_erased_at_the_end() -> None:
    with (
        patch.object(sys, "stderr", Terminal()) as terminal,
        patch.dict(os.environ, {"COLUMNS": "40"}),
    ):
        watchman = Watchman(options(), StateFile(None, resume=False), START)
        with watchman.on_duty() as surroundings:
            surroundings.tell(look(0))
            surroundings.tell(look(5))
        written = terminal.getvalue()

    first, second, last = written.split("\r\x1b[2K")[1:]
    assert first.startswith("watching track=canary beside ")
    assert second == "5m of 1h watched; errors: track=canary "
    assert last == ""


def test_a_log_has_a_line_where_something_changes_and_every_ten_looks() -> None:
    # It takes some minutes until a healthy canary is shown to be one.
    shown = list[str]()
    healthy = watch_minutes(HEALTHY).machine.looks
    with (
        patch.object(sys, "stderr", io.StringIO()),
        patch.object(watching, "write_note", shown.append),
    ):
        watchman = Watchman(options(), StateFile(None, resume=False), START)
        with watchman.on_duty() as surroundings:
            for each in healthy:
                surroundings.tell(each)

    changes = [
        place
        for place, each in enumerate(healthy)
        if not place or state_of(each) != state_of(healthy[place - 1])
    ]
    assert shown[0].startswith("gate: watching track=canary beside track=stable until ")
    assert len(changes) < len(shown) < len(changes) + 7
    assert any("shown to be within the margin" in line for line in shown)


def test_the_lines_say_how_it_is_in_plain_words() -> None:
    worse = replace(look(2, canary=2.5), slos=(look(2, canary=2.5).slos[0], look(2).slos[0]))

    assert "gate" not in live_line(worse, options())
    assert live_line(worse, options()).endswith(" (and 1 more)")
    assert len(list(lines(worse, options()))) == 2
    assert "alone until" in beginning(look(0), options(arms=ALONE))
    wanted = options(margin=Fraction(100), max_spend=Fraction(1, 20))
    spending = watch_minutes((minute(30),) * 60, wanted)
    unmeasured = watch_minutes(HEALTHY, budget_after=100)
    assert "it has spent more than was agreed" in next(lines(spending.machine.looks[-1], options()))
    assert list(lines(unmeasured.machine.looks[0], options()))[1:] == [
        "errors: its budget was not measured: the server does not answer"
    ]
    assert "strong signs that it is worse" in next(lines(look(1, canary=5), options()))


def test_a_page_says_what_cannot_be_shown_and_when_it_ended_by_a_signal() -> None:
    idle = watch_minutes([{}] * 60).report
    stopped = watch_minutes(HEALTHY, machine=Machine(until=20 * 60 + 5)).report

    (section,) = page(idle).sections
    facts = dict(fact for block in section.blocks for fact in getattr(block, "facts", ()))
    assert facts["Why"] == "errors: there was no traffic"
    (section,) = page(stopped).sections
    facts = dict(fact for block in section.blocks for fact in getattr(block, "facts", ()))
    assert facts["Ended"] == "by a signal, before the time was up"
    assert facts["Next"].startswith("go on from the state that was kept")


def test_a_page_names_an_overspent_budget_and_saves_nothing_where_the_time_is_up() -> None:
    # The 21st failure is beyond 2% of the 1,000 that may fail; it comes in the last minute.
    minutes = [minute(1)] * 19 + [minute(3)]
    wanted = options(arms=ALONE, lasting=20 * MINUTE, max_spend=Fraction(21, 1000))

    report = watch_minutes(minutes, wanted).report

    text = render_page("terminal", output(report), Style())
    assert "overspent" in text
    assert "it has spent 2.2% of the budget; at most 2.1%" in text
    assert "Saved" not in text


def test_a_margin_that_the_canary_exceeds_cannot_be_shown_at_this_rate() -> None:
    # Twice as many fail, of so few requests that nothing is shown.
    minutes = [minute(2, 9, of=(100, 900))] * 3

    report = watch_minutes(minutes, options(lasting=3 * MINUTE)).report

    assert report.reasons[0].endswith("which cannot be shown at this rate")
    assert "watch with more traffic or a larger margin" in render_page(
        "brief", output(report), Style()
    )


def test_a_question_that_fails_is_raised_where_it_was_asked() -> None:
    watchman = Watchman(options(), StateFile(None, resume=False), START)

    def fail() -> None:
        raise ZeroDivisionError

    with watchman.on_duty() as surroundings, pytest.raises(ZeroDivisionError):
        surroundings.ask(fail)


def test_a_signal_ends_waiting_and_asking_at_once_and_its_handler_is_put_back() -> None:
    watchman = Watchman(options(), StateFile(None, resume=False), START)
    before, never = signal.getsignal(signal.SIGTERM), threading.Event()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()

    with watchman.on_duty() as surroundings:
        begun = time.monotonic()
        answer = surroundings.ask(lambda: never.wait(30))
        assert answer is None
        assert surroundings.pause(30)
        assert surroundings.ask(lambda: 1) is None
        assert time.monotonic() - begun < 20
    never.set()

    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_signal_waiting_ends_by_itself() -> None:
    watchman = Watchman(options(), StateFile(None, resume=False), START)

    with watchman.on_duty() as surroundings:
        assert surroundings.wall() == START
        assert not surroundings.pause(0.01)
        assert surroundings.ask(lambda: 7) == 7


@pytest.mark.parametrize("boot", [True, False])
def test_seconds_go_on_whatever_the_clock_is_set_to(boot: bool) -> None:
    if not boot:
        with patch.object(time, "CLOCK_BOOTTIME", None, create=True):
            first = steady_seconds()
            assert steady_seconds() >= first == pytest.approx(time.monotonic(), abs=60)
        return
    first = steady_seconds()
    assert steady_seconds() >= first


def test_a_command_is_ended_with_the_gate_and_where_there_are_no_groups_of_processes() -> None:
    report: Any = watch_minutes((minute(10),) * 60).report

    class Interrupted(subprocess.Popen[bytes]):
        def wait(self, timeout: float | None = None) -> int:
            if timeout is not None:
                raise KeyboardInterrupt
            return super().wait()

    with (
        open(os.devnull, "w") as nowhere,  # noqa: PTH123 - a device
        patch.object(sys, "stderr", nowhere),
        patch.object(subprocess, "Popen", Interrupted),
        patch.object(watching, "_has_groups", lambda: False),
        pytest.raises(KeyboardInterrupt),
    ):
        watching.run_command("sleep 30", report)


def test_the_exit_code_of_the_watch_is_that_of_its_report(
    gate: Run, write_logs: Callable[..., None]
) -> None:
    write_logs(canary=15)

    assert replay(gate, "--quiet").exit_code is ExitCode.BLOCK
    assert replay(gate, "--quiet").stderr == ""
