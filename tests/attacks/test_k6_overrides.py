"""Nobody overrides for themselves, nor in the name of somebody who did not: attempts on GitHub."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.attacks.hosted import AFTER, NOW, PUSHED, ago, as_opened, ask, labelled, reviewed
from tests.attacks.world import World
from tests.command import Result
from tests.servers.github import TOKEN, FakeGitHub, github
from tests.servers.github_answers import written

UNTIL = (NOW + timedelta(hours=2)).isoformat()
RULE = "overrides: {label: gate-override, approved_by: ['@grace', '@hedy'], max_duration: 8h}\n"
OTHER = "c" * 40


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as server:
        yield server


def made(folder: pytest.TempPathFactory, name: str, more: str, *, opened: bool = True) -> World:
    world = World(folder.mktemp(name))
    world.commit("override", {"gate.yaml": world.policy + more})
    world.push("main")
    world.change()
    if opened:
        world.open()
    else:
        world.branch("main", "change")
        world.pushed()
        world.event = {"inputs": {}, "sender": {"login": "ada"}}
        world.more |= {"GITHUB_EVENT_NAME": "workflow_dispatch"}
    world.check_out()
    return world


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A pull request of ada's under a policy that grace and hedy may override."""
    return made(tmp_path_factory, "opened", RULE)


@pytest.fixture(scope="module")
def unnamed(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One under a policy that says nothing of overrides."""
    return made(tmp_path_factory, "unnamed", "")


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A deploy of main that ada starts by hand, under a policy that says nothing of overrides."""
    return made(tmp_path_factory, "by-hand", "", opened=False)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same under a policy that takes confirmed overrides only."""
    return made(tmp_path_factory, "strict", "overrides: {confirmed: true}\n", opened=False)


def override(world: World, fake: FakeGitHub, who: str, **more: str | None) -> Result:
    words = ("--override", "the fix", "--override-approved-by", who, "--override-until", UNTIL)
    return ask(world, fake, *words, "--format", "json", **more)


NAMES = {
    "author": "@ada",
    "author in capitals": "ADA",
    "author with blanks": " @ada ",
    "blank before": " @grace",
    "line end": "@grace\n",
    "two signs": "@@grace",
    "two people": "@grace,@hedy",
    "trailing dot": "@grace.",
    "Cyrillic": "@gr\u0430ce",
    "invisible": "@gra\u200bce",
    "right to left": "\u202e@grace",
    "full-width": "@\uff47race",
    "combining": "@grace\u0301",
    "long s": "@he\u017fy",
    "Kelvin sign": "@\u212aate",
    "dotted I": "@\u0130da",
    "nobody": "@",
    "empty": "",
    "a team": "@acme/sre",
    "write": "write",
    "an app": "@grace[bot]",
    "a ghost": "@ghost",
    "an invented colleague": "@nobody-at-all",
    "a path": "../grace",
    "a question": "grace?x=1",
}


@pytest.mark.parametrize("name", NAMES)
def test_no_such_name_overrides(opened: World, fake: FakeGitHub, name: str) -> None:
    head = as_opened(opened, fake)
    fake.reviews = [reviewed(login, head) for login in ("ada", "grace", "hedy")]
    result = override(opened, fake, NAMES[name])
    assert result.exit_code == 2, result.stdout
    assert "the override does not count under gate.yaml" in result.stderr


def test_what_is_reported_about_a_name_shows_no_control_characters(
    opened: World, fake: FakeGitHub
) -> None:
    as_opened(opened, fake)
    result = override(opened, fake, "@gra\u200bce\n::error::x\x1b[1m")
    assert result.exit_code == 2
    assert not {"\u200b", "\x1b"} & set(result.stderr)
    assert "\n::error" not in result.stderr


def test_what_is_reported_about_a_commits_writer_shows_no_control_characters(
    opened: World, fake: FakeGitHub
) -> None:
    head = as_opened(opened, fake)
    fake.reviews = [reviewed("grace", head)]
    fake.profiles = {"grace": {"name": "Grace", "email": None}}
    name = "Gr\x1b[31mace\n::error::x"
    fake.written = [written(head, None, name=name, email="grace@x.example")]
    result = override(opened, fake, "@grace")
    assert result.exit_code == 2
    assert "@grace may be" in result.stderr
    assert "\x1b" not in result.stderr
    assert "\n::error" not in result.stderr


def test_an_override_that_the_host_confirms_counts(opened: World, fake: FakeGitHub) -> None:
    fake.reviews = [reviewed("grace", as_opened(opened, fake))]
    result = override(opened, fake, "@Grace")
    assert result.exit_code == 0, result.stderr
    decision = json.loads(result.stdout)
    assert (decision["verdict"], decision["override_confirmed"]) == ("block", True)


def test_the_label_of_the_policy_confirms_it_too(opened: World, fake: FakeGitHub) -> None:
    as_opened(opened, fake)
    fake.events = [labelled("grace", "gate-override")]
    assert override(opened, fake, "@grace").exit_code == 0


CLAIMED = {
    "nobody has approved": [],
    "another has approved": ["hedy"],
    "the author has": ["ada"],
}


@pytest.mark.parametrize("case", CLAIMED)
def test_a_claim_is_not_proof_on_a_pull_request(opened: World, fake: FakeGitHub, case: str) -> None:
    head = as_opened(opened, fake)
    fake.reviews = [reviewed(login, head) for login in CLAIMED[case]]
    result = override(opened, fake, "@grace")
    assert result.exit_code == 2
    assert "it is only claimed that @grace has approved it: let them approve" in result.stderr


@pytest.mark.parametrize(
    "fields",
    [
        {"reviews": [reviewed("grace", OTHER)]},
        {"author": "grace"},
        {"written": [written(OTHER, "grace")]},
        {"pushers": {"head": "grace"}},
        {"pushes": []},
        {"more_commits": 3},
        {"forbidden": {"repos/list-activities"}},
        {"forbidden": {"pulls/list-reviews"}},
        {"forbidden": {"pulls/list-commits"}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_anybody_who_has_a_part_or_may_have_one_confirms_nothing(
    opened: World, fake: FakeGitHub, fields: dict[str, object]
) -> None:
    head = as_opened(opened, fake)
    fake.reviews = [reviewed("grace", head)]
    for name, value in fields.items():
        setattr(fake, name, value)
    if "pushers" in fields:
        fake.pushers = {head: "grace"}
    assert override(opened, fake, "@grace").exit_code == 2


@pytest.mark.parametrize(
    "more",
    [
        {"GITHUB_ACTOR": "grace"},
        {"GITHUB_TRIGGERING_ACTOR": "grace", "GITHUB_RUN_ATTEMPT": "3"},
        {"GITHUB_TOKEN": None},
    ],
    ids=["started it", "started it again", "nothing can be asked"],
)
def test_anybody_who_starts_the_run_does_not_override_it(
    opened: World, fake: FakeGitHub, more: dict[str, str | None]
) -> None:
    fake.reviews = [reviewed("grace", as_opened(opened, fake))]
    words = ("--override", "the fix", "--override-approved-by", "@grace", "--override-until", UNTIL)
    token: dict[str, str | None] = {"GITHUB_API_URL": fake.url, "GITHUB_TOKEN": TOKEN}
    assert opened.run(*words, policy="gate.yaml", cwd=".", **token | more).exit_code == 2


@pytest.mark.parametrize("right, code", [("write", 0), ("admin", 0), ("read", 2), ("none", 2)])
def test_where_nobody_is_named_it_takes_the_right_to_write(
    unnamed: World, fake: FakeGitHub, right: str, code: int
) -> None:
    fake.reviews = [reviewed("grace", as_opened(unnamed, fake))]
    fake.rights = {"grace": right}
    assert override(unnamed, fake, "@grace").exit_code == code


@pytest.mark.parametrize(
    "who, right, code",
    [
        ("@grace", "write", 0),
        ("@grace", "read", 2),
        ("@nobody-at-all", None, 2),
        ("@ada", "admin", 2),
        ("@alan", "write", 2),
        ("@hedy", "write", 2),
    ],
    ids=["claimed", "may not write", "invented", "starter", "writer", "committer"],
)
def test_a_deploy_by_hand_takes_the_name_of_a_real_other_person(
    by_hand: World, fake: FakeGitHub, who: str, right: str | None, code: int
) -> None:
    head = by_hand.revision()
    fake.single = {head: written(head, "alan", "hedy")}
    fake.rights = {} if right is None else {who.removeprefix("@"): right}
    result = override(by_hand, fake, who)
    assert result.exit_code == code, result.stderr
    if code == 0:
        assert json.loads(result.stdout)["override_confirmed"] is False
        shown = ask(
            by_hand,
            fake,
            "--override",
            "x",
            "--override-approved-by",
            who,
            "--override-until",
            UNTIL,
        ).stdout
        assert "claimed, not confirmed" in " ".join(shown.split())


def test_a_policy_may_take_confirmed_overrides_only(strict: World, fake: FakeGitHub) -> None:
    head = strict.revision()
    fake.single, fake.rights = {head: written(head)}, {"grace": "write"}
    result = override(strict, fake, "@grace")
    assert result.exit_code == 2
    assert "is only claimed" in result.stderr
    fake.single = {}
    assert "cannot ask who wrote the commit" in override(strict, fake, "@grace").stderr


LABELS = {
    "before the push": ("grace", ago(40), PUSHED),
    "in the second of the push": ("grace", PUSHED, PUSHED),
    "by the author": ("ada", AFTER, PUSHED),
    "by somebody else": ("alan", AFTER, PUSHED),
    "by an app": ("grace[bot]", AFTER, PUSHED),
    "by the ghost": ("ghost", AFTER, PUSHED),
}


@pytest.mark.variants(4)
@pytest.mark.parametrize("case", LABELS)
def test_no_such_label_overrides(opened: World, fake: FakeGitHub, case: str) -> None:
    head = as_opened(opened, fake)
    who, at, pushed = LABELS[case]
    fake.events = [labelled(who, "gate-override", at)]
    fake.pushes = [("change", head, pushed)]
    fake.plant(who, "Gate-Override: the fix")
    result = ask(opened, fake)
    assert result.exit_code == 10, result.stdout
    assert "the label gate-override does not count" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    "fields",
    [
        {"author": "grace"},
        {"written": "grace"},
        {"pushers": "grace"},
        {"forbidden": {"pulls/list-commits"}},
    ],
    ids=["opened it", "wrote it", "pushed it", "nobody knows who wrote it"],
)
def test_no_label_of_an_author_overrides(
    opened: World, fake: FakeGitHub, fields: dict[str, object]
) -> None:
    head = as_opened(opened, fake)
    fake.events = [labelled("grace", "gate-override")]
    fake.plant("grace", "Gate-Override: the fix")
    assert ask(opened, fake).exit_code == 0
    for name, value in fields.items():
        special = {"written": [written(head, "grace")], "pushers": {head: "grace"}}
        setattr(fake, name, special.get(name, value))
    assert ask(opened, fake).exit_code == 10


def test_in_a_shell_an_override_is_claimed(unnamed: World) -> None:
    words = ("--override", "the fix", "--override-approved-by", "@grace", "--override-until", UNTIL)
    result = unnamed.run(*words, "--ci", "none", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["override_confirmed"] is False
    assert unnamed.run(*words[:3], "@gr\u0430ce", *words[4:], "--ci", "none").exit_code == 2
