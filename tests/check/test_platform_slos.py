"""SLOs that a platform keeps, in every command that measures."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends.toy_platform import registered
from tests.command import Run

HEAD = "version: 1\nservice: chat\nbackend: {type: toy-platform, path: answers.json}\n"
TIERS = """
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: exhausted, otherwise: true, allow: [rollback, security-patch]}
"""
AVAILABILITY = "  - {name: availability, from: platform, sli: {slo: Chat}}\n"
HISTORY = "gate.yaml: this platform keeps no history that can be read"


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    with registered():
        yield


def chat(**more: object) -> dict[str, object]:
    return {"name": "Chat", "promises": [[30, "99.9"]], "share": ["0.0001", "0.00003"], **more}


@pytest.fixture
def policy(tmp_path: Path) -> "Files":
    return Files(tmp_path)


class Files:
    """A policy beside what its platform answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write()
        self.answers(chat())

    def write(self, slos: str = AVAILABILITY, more: str = "") -> None:
        text = f"{HEAD}slos:\n{slos}{TIERS}{more}"
        (self.folder / "gate.yaml").write_text(text, encoding="utf-8")

    def answers(self, *slos: dict[str, object], **more: object) -> None:
        text = json.dumps({"slos": slos, **more})
        (self.folder / "answers.json").write_text(text, encoding="utf-8")


CHECK = ("check", "gate.yaml", "--policy-ref", "none", "--change")


def decided(gate: Run, folder: Path, change: str = "model-update") -> tuple[int, dict[str, Any]]:
    done = gate(*CHECK, change, "--format", "json", cwd=folder)
    return done.exit_code, json.loads(done.stdout)["policies"][0]


def test_objective_and_window_are_those_of_the_platform(gate: Run, policy: Files) -> None:
    exit_code, part = decided(gate, policy.folder)

    (slo,) = part["slos"]
    assert exit_code == 0
    assert (slo["objective"], slo["window"], slo["kind"]) == (0.999, "30d", "ratio")
    assert (slo["answer"], slo["granted"]) == ("share", "events")
    assert slo["remaining_rounding"] == pytest.approx([0.87, 0.93])
    assert slo["error_ratio_error"] == 0.00003
    assert slo["definition"] == {
        "platform": "Toy",
        "id": "id-Chat",
        "name": "Chat",
        "promises": [{"objective": 0.999, "window": "30d"}],
        "to_date": False,
    }


def test_a_policy_is_valid_without_its_platform(gate: Run, policy: Files) -> None:
    (policy.folder / "answers.json").unlink()

    assert gate("validate", "gate.yaml", cwd=policy.folder).exit_code == 0


def test_the_name_of_the_slo_is_that_of_the_entry_where_it_has_no_indicator(
    gate: Run, policy: Files
) -> None:
    policy.write("  - {name: chat-errors, from: platform}\n")
    policy.answers(chat(name="chat-errors"))

    assert decided(gate, policy.folder)[0] == 0


@pytest.mark.parametrize(
    ("answers", "cause", "words"),
    [
        ({"down": "http://toy answered 503"}, "backend_error", "http://toy answered 503"),
        (
            {"slos": []},
            "no_data",
            'Toy has no SLO "Chat"; correct sli.slo, which is the exact name or the id of an SLO'
            " of the platform",
        ),
        (
            {"slos": [chat(promises=[[7, "99"], [30, "99.9"]])]},
            "invalid",
            'Toy\'s SLO "Chat" promises 99% over 7d, 99.9% over 30d; choose one of these promises'
            " with window, or with objective",
        ),
    ],
    ids=["down", "absent", "several"],
)
def test_what_is_not_defined_is_not_measured_and_lets_nothing_pass(
    gate: Run, policy: Files, answers: dict[str, Any], cause: str, words: str
) -> None:
    composite = "  - {name: all, composite: [{slo: availability}]}\n"
    policy.write(AVAILABILITY + composite)
    policy.answers(*answers.pop("slos", []), **answers)

    exit_code, part = decided(gate, policy.folder)

    first, second = part["slos"]
    assert exit_code == 3
    assert (first["kind"], first["window"], first["remaining"]) == ("platform", None, None)
    assert first["doubts"] == [{"cause": cause, "reason": words}]
    assert (second["status"], second["remaining"]) == (cause, None)


def test_the_policy_may_choose_one_of_several_windows(gate: Run, policy: Files) -> None:
    policy.write("  - {name: availability, from: platform, sli: {slo: Chat}, window: 7d}\n")
    policy.answers(chat(promises=[[7, "99"], [30, "99.9"]]))

    exit_code, part = decided(gate, policy.folder)

    assert exit_code == 0
    assert part["slos"][0]["objective"] == 0.99


def test_what_policy_and_platform_promise_must_be_the_same(gate: Run, policy: Files) -> None:
    stated = "  - {name: availability, objective: 99.5%, window: 30d, sli: {slo: Chat}}\n"
    policy.write(stated)

    exit_code, part = decided(gate, policy.folder)

    assert exit_code == 3
    (doubt,) = part["slos"][0]["doubts"]
    assert doubt["cause"] == "invalid"
    assert doubt["reason"].startswith(
        'the policy promises 99.5% over 30d; Toy\'s SLO "Chat" promises 99.9% over 30d;'
    )


def test_a_share_that_is_too_coarse_is_reported_with_both_ends(gate: Run, policy: Files) -> None:
    policy.answers(chat(share=["0.0005", "0.00003"], notes=["2 corrections are applied"]))

    done = gate(*CHECK, "model-update", cwd=policy.folder, env={"COLUMNS": "200"})

    assert done.exit_code == 3
    text = " ".join(done.stdout.split())
    assert "rounded: cannot tell: only a rounded share is known, no counts: 0.05% bad" in text
    assert "47.0% to 53.0%" in text
    assert "not known: rounded" in text
    assert 'platform Toy reported a rounded share for "Chat", as of' in text
    assert "budget between 47.0% and 53.0% is left over 30d, 0.05% bad, give or take" in text
    assert text.count("2 corrections are applied") == 1


@pytest.mark.parametrize(
    ("bad", "left", "words"),
    [
        ("0.00115", "overspent by 12.0% to 18.0%", "overspent by 12.0% to 18.0%"),
        ("0.001", "overspent by 3.0% to 3.0% left", "anything from overspent by 3.0% to 3.0% left"),
    ],
)
def test_what_may_be_overspent_is_reported_so(
    gate: Run, policy: Files, bad: str, left: str, words: str
) -> None:
    policy.answers(chat(share=[bad, "0.00003"]))

    done = gate("status", "gate.yaml", cwd=policy.folder, env={"COLUMNS": "200"})

    text = " ".join(done.stdout.split())
    assert left in text
    assert words in text


def test_rounded_burn_rates_are_reported_with_both_ends(gate: Run, policy: Files) -> None:
    windows = {"3600": {"share": ["0.002", "0.0005"]}}
    policy.answers(chat(windows=windows))

    exit_code, part = decided(gate, policy.folder)
    done = gate("status", "gate.yaml", cwd=policy.folder, env={"COLUMNS": "200"})

    assert exit_code == 0
    assert part["slos"][0]["burn_rates"] == {"1h": 2.0}
    assert part["slos"][0]["burn_rate_errors"] == {"1h": 0.5}
    assert "1.50 to 2.50 over 1h" in done.stdout


def test_time_is_spoken_of_as_time(gate: Run, policy: Files) -> None:
    counted = chat(counts=[1296, 2_592_000], granted="seconds")
    del counted["share"]
    policy.answers(counted)

    done = gate("status", "gate.yaml", cwd=policy.folder, env={"COLUMNS": "200"})

    text = " ".join(done.stdout.split())
    # 99.9% of 30 days may be bad for 43.2 minutes, of which 1,296 s are half.
    assert "21m36s of 43m12s left" in text
    assert "21m36s of 30d" in text
    assert "Toy reported counts of time" in text
    assert "events" not in text


def test_a_rounded_share_of_time_says_how_much_is_left_at_least(gate: Run, policy: Files) -> None:
    policy.answers(chat(share=["0.0005", "0.0001"], granted="seconds"))

    done = gate("status", "gate.yaml", cwd=policy.folder, env={"COLUMNS": "200"})

    # 40% of 43.2 minutes.
    assert "at least 17m16s of 43m12s left" in " ".join(done.stdout.split())


@pytest.mark.parametrize("command", ["incidents", "forecast", "review", "anomalies", "backtest"])
def test_commands_that_look_back_say_that_there_is_no_history(
    gate: Run, policy: Files, command: str
) -> None:
    done = gate(command, "gate.yaml", cwd=policy.folder)

    assert done.exit_code == 2
    assert HISTORY in done.stderr


def test_events_of_a_platform_cannot_be_separated(gate: Run, policy: Files) -> None:
    done = gate("cohorts", "gate.yaml", "--by", "model", cwd=policy.folder)

    assert (done.exit_code, HISTORY in done.stderr) == (2, True)


def test_a_platform_cannot_be_watched(gate: Run, policy: Files) -> None:
    done = gate("watch", "gate.yaml", "--canary", "track=canary", "--for", "1h", cwd=policy.folder)

    assert done.exit_code == 2
    assert "its platform has not given an objective" in done.stderr


def test_the_doctor_says_what_the_platform_promises(gate: Run, policy: Files) -> None:
    done = gate("doctor", "gate.yaml", cwd=policy.folder)

    assert done.exit_code == 0
    assert "99.9% over 30d" in " ".join(done.stdout.split())


def test_the_doctor_finds_an_slo_that_the_platform_does_not_have(gate: Run, policy: Files) -> None:
    policy.answers()

    done = gate("doctor", "gate.yaml", cwd=policy.folder)

    assert done.exit_code != 0
    assert 'Toy has no SLO "Chat"' in " ".join(done.stdout.split())


def test_the_report_has_the_budgets_of_a_platform(gate: Run, policy: Files) -> None:
    policy.answers(chat(share=["0.0005", "0.00003"]))

    done = gate("report", "gate.yaml", "--format", "markdown", cwd=policy.folder)

    assert "CANNOT TELL" in done.stdout
    assert "this platform keeps no history that can be read" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "share", [["0.0001", "0.00003"], ["0.0005", "0.00003"], ["0.002", "0.001"]]
)
def test_a_recorded_decision_comes_to_the_same(gate: Run, policy: Files, share: list[str]) -> None:
    windows = {"3600": {"counts": [1, 1000]}}
    policy.answers(chat(share=share, windows=windows))
    exit_code, _ = decided(gate, policy.folder)
    document = gate(*CHECK, "model-update", "--format", "json", cwd=policy.folder).stdout
    (policy.folder / "decision.json").write_text(document, encoding="utf-8")

    recorded = gate("test", "gate.yaml", "--record", "decision.json", cwd=policy.folder)
    tried = gate("test", "gate.yaml", cwd=policy.folder)

    assert exit_code in {0, 3, 10}
    assert recorded.exit_code == 0, recorded.stderr
    assert tried.exit_code == 0, tried.stdout
    assert "rounding:" in (policy.folder / "gate.test.yaml").read_text(encoding="utf-8")


def test_a_recorded_decision_by_counts_has_no_rounding(gate: Run, policy: Files) -> None:
    promises = [[30, "99.9"]]
    policy.answers({"name": "Chat", "promises": promises, "counts": [400, 1_000_000]})
    document = gate(*CHECK, "model-update", "--format", "json", cwd=policy.folder).stdout
    (policy.folder / "decision.json").write_text(document, encoding="utf-8")

    assert gate("test", "gate.yaml", "--record", "decision.json", cwd=policy.folder).exit_code == 0
    assert gate("test", "gate.yaml", cwd=policy.folder).exit_code == 0
    cases = (policy.folder / "gate.test.yaml").read_text(encoding="utf-8")
    assert re.search(r"remaining: '?(60%|0\.6)\b", cases), cases
    assert "rounding:" not in cases


BOTH = """\
backends:
  toy: {type: toy-platform, path: answers.json}
  file: {type: static, path: counts.json}
"""
TWO = """\
  - {name: availability, from: platform, sli: {slo: Chat}, backend: toy}
  - {name: requests, objective: 99.9%, window: 30d, backend: file}
  - {name: all, composite: [{slo: availability}, {slo: requests}]}
"""


@pytest.fixture
def both(policy: Files) -> Files:
    policy.write(TWO)
    text = (policy.folder / "gate.yaml").read_text(encoding="utf-8")
    single = "backend: {type: toy-platform, path: answers.json}\n"
    (policy.folder / "gate.yaml").write_text(text.replace(single, BOTH), encoding="utf-8")
    counts = '{"counts": {"requests": {"total": 1000000, "bad": 100}}}'
    (policy.folder / "counts.json").write_text(counts, encoding="utf-8")
    return policy


def test_a_platform_is_asked_among_several_backends(gate: Run, both: Files) -> None:
    exit_code, part = decided(gate, both.folder)

    assert exit_code == 0
    assert [slo["answer"] for slo in part["slos"]] == ["share", "counts", None]
    # 1 - 10% of the file and 10% of the platform, give or take 3%.
    assert part["slos"][2]["remaining_rounding"] == pytest.approx([0.77, 0.83])


def test_what_one_of_several_backends_does_not_define_is_not_measured(
    gate: Run, both: Files
) -> None:
    both.answers()

    exit_code, part = decided(gate, both.folder)

    assert exit_code == 3
    assert [slo["status"] for slo in part["slos"]] == ["no_data", "measured", "no_data"]


def test_another_backend_among_several_defines_nothing(gate: Run, both: Files) -> None:
    text = (both.folder / "gate.yaml").read_text(encoding="utf-8")
    other = text.replace("sli: {slo: Chat}, backend: toy", "sli: {slo: Chat}, backend: file")
    (both.folder / "gate.yaml").write_text(other, encoding="utf-8")

    done = gate("validate", "gate.yaml", cwd=both.folder)

    assert done.exit_code == 2
    assert "the static backend keeps no SLOs that could be taken from: platform" in done.stdout
