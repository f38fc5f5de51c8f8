"""Who writes a commit, a title or a branch gives no command to the runner of a job."""

import pytest

from tests.attacks.obeying import obeyed
from tests.attacks.world import World, keeps_its_secrets

WIDE = "x " * 41
SUBJECTS = {
    "a command": "::error::owned",
    "a command after blanks": "feat: \u2003 ::set-output name=verdict::allow",
    "a command where the line wraps": f"feat: {WIDE}::add-mask::e",
    "a command at every width": "feat: " + "::stop-commands::x " * 40,
    "the old form": "feat: ##[add-path]/tmp",
    "the old form in colour": "feat: #\x1b[1m#[error]owned",
    "the old form with nothing between": "feat: ##\u200b[error]owned",
    "azure": "feat: ##vso[task.setvariable variable=verdict]allow",
    "teamcity": "feat: ##teamcity[buildStatus status='SUCCESS']",
    "gitlab": "feat: \x1b[0Ksection_start:1:x[collapsed=true]\r\x1b[0KALLOW",
    "carriage return": "feat: x\r::error::owned",
    "form feed": "feat: x\x0c::error::owned",
    "next line": "feat: x\x85::error::owned",
    "line separator": "feat: x\u2028::error::owned",
    "backspaces": "feat: x" + "\x08" * 9 + "::error::owned",
    "buildkite": f"feat: {WIDE}--- ALLOW",
    "a title of buildkite": f"+++ {WIDE}",
}
FORMATS = ("terminal", "markdown", "json", "junit", "sarif", "codequality", "gitlab", "dotenv")


@pytest.mark.parametrize("name", SUBJECTS)
def test_no_runner_obeys_a_commit_or_a_title(world: World, name: str) -> None:
    world.change(SUBJECTS[name])
    world.open(title=SUBJECTS[name], labels=[{"name": SUBJECTS[name][:50]}])
    world.check_out()

    for form in FORMATS:
        result = world.run("--format", form)

        assert result.exit_code in {3, 10}
        assert obeyed(result.stdout + "\n" + result.stderr) == [], form
        assert keeps_its_secrets(result)


BRANCHES = ("::error::owned", "##[error]owned", "x/##vso[task]y", "---\u00a0ALLOW", "a\u2028::b")


@pytest.mark.parametrize("branch", BRANCHES)
def test_no_runner_obeys_a_name_that_a_change_may_choose(world: World, branch: str) -> None:
    world.change()
    world.open()
    world.check_out()

    for words in (
        ("--environment", branch, "--change", "full-rollout"),
        ("--change", branch),
        ("--policy-ref", branch),
        ("--base", branch),
        ("--write", branch),
        ("--timeout", branch),
        (f"--{branch}",),
    ):
        result = world.run(*words, GITHUB_HEAD_REF=branch, GITHUB_ACTOR=branch)

        assert result.exit_code in {2, 3, 10}
        assert obeyed(result.stdout + "\n" + result.stderr) == [], words
    result = world.run("--change", "canary", policy=f"{branch}.yaml")
    assert result.exit_code != 0
    assert obeyed(result.stdout + "\n" + result.stderr) == []


TEXTS = ("::error::x", "a\n::error::x", "##[error]x", "--- x", "\u2028::x", "a\r\x1b[0K::x")


@pytest.mark.parametrize("text", TEXTS)
def test_no_runner_obeys_a_policy_in_any_command(world: World, text: str) -> None:
    quoted = "".join(c if c.isprintable() and c != "#" else f"\\u{ord(c):04x}" for c in text)
    policy = world.policy.replace("service: chat", f'service: "{quoted}"\nowners: ["{quoted}"]')
    (world.work / "gate.yaml").write_text(policy.replace("caution", f'"{quoted}"'))
    world.commit("begin again")
    world.pushed()
    world.check_out()

    from tests.command import gate  # noqa: PLC0415 - the fixture of this name runs elsewhere

    for command in ("check", "status", "validate", "doctor", "forecast", "verify", "log", "export"):
        words = ("--change", "full-rollout") if command == "check" else ()
        result = gate(command, "gate.yaml", *words, cwd=world.checkout, env=world.environment())

        assert obeyed(result.stdout + "\n" + result.stderr) == [], command
