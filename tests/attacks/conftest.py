"""A world for each attempt; those that change nothing of it share one."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.decisions import Deploy
from tests.attacks.world import World
from tests.hosts.repository import git


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository whose main has a policy, and nothing of a run yet."""
    return World(tmp_path)


@pytest.fixture(scope="session")
def _loosened(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("loosened"))
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.open()
    world.check_out(depth=1)
    return world


@pytest.fixture
def loosened(_loosened: World) -> World:
    """A pull request that loosens the policy, checked out; nothing but the run may be changed."""
    world = copy.copy(_loosened)
    world.event, world.more = copy.deepcopy(world.event), dict(world.more)
    return world


@pytest.fixture(scope="session")
def _tagged(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("tagged"))
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.pushed("change")
    git(world.work, "tag", "v1")
    world.push("HEAD:refs/tags/v1", "HEAD:refs/tags/main")
    world.check_out("refs/heads/change")
    return world


@pytest.fixture
def tagged(_tagged: World) -> World:
    """A push to a branch that loosens the policy, with tags of it; as above."""
    world = copy.copy(_tagged)
    world.event, world.more = copy.deepcopy(world.event), dict(world.more)
    return world


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """A push to main, checked out in the job that decides and in the one that ships."""
    world = World(tmp_path_factory.mktemp("pushed"))
    world.commit("feat: more", {"src/a.py": "a = 3\n"})
    world.pushed()
    world.check_out()
    return Deploy(world)


@pytest.fixture
def deploy(pushed: Deploy) -> Iterator[Deploy]:
    """The same for each attempt, which may change what is checked out there."""
    pushed.begin_anew()
    yield pushed
    pushed.begin_anew()


REACHING = frozenset(
    {
        "test_a_base_that_is_gone_is_undecided",
        "test_a_checkout_without_git_is_judged_by_the_api",
        "test_a_decision_on_another_moment_never_holds",
        "test_a_document_that_contradicts_itself_or_the_world_is_refused",
        "test_a_file_counts_where_the_base_has_moved_it",
        "test_a_folder_is_not_a_log",
        "test_a_forged_envelope_is_refused",
        "test_a_forks_own_remote_is_not_asked_and_the_api_of_the_runs_repository_is",
        "test_a_host_that_does_not_say_is_not_a_way_round",
        "test_a_line_that_is_cut_off_is_named",
        "test_a_link_out_of_the_repository_does_not",
        "test_a_link_to_others_does_not",
        "test_a_missing_package_is_an_error_and_no_unsigned_decision",
        "test_a_name_that_means_several_commits_is_refused_and_they_are_listed",
        "test_a_policy_in_no_commit_must_be_named",
        "test_a_policy_may_take_confirmed_overrides_only",
        "test_a_policy_outside_of_the_checkout_is_not_the_changes",
        "test_a_policy_that_is_none_is_a_mistake_of_the_caller",
        "test_a_policy_that_is_too_large_a_folder_or_a_submodule_on_main_is_undecided",
        "test_a_policy_that_was_altered_since_is_not_the_one_that_decided",
        "test_a_policy_whose_decisions_last_too_long_is_refused_with_its_place",
        "test_a_run_that_is_started_again_without_a_token_is_undecided",
        "test_a_secret_that_can_be_guessed_is_warned_of",
        "test_a_secrets_signature_that_is_none_is_refused",
        "test_a_signing_key_that_is_none_is_an_error_of_both_commands",
        "test_a_time_that_no_decision_can_have_does_not_hold",
        "test_a_verifying_key_that_is_none_is_an_error",
        "test_an_attestation_without_a_key_is_an_error",
        "test_an_event_of_an_odd_form_is_not_a_way_round",
        "test_each_of_two_policies_counts_by_itself",
        "test_it_is_refused_for_anything_else",
        "test_links_of_a_proposal_show_nothing_of_what_they_lead_to",
        "test_missing_lines_at_the_end_are_seen_by_who_remembers_the_last_one",
        "test_no_such_label_overrides",
        "test_no_text_of_a_proposal_stops_or_slows_the_run",
        "test_no_variables_of_a_job_let_a_change_judge_itself",
        "test_none_of_these_is_an_approval",
        "test_only_what_the_policy_itself_lets_ship_has_passed",
        "test_other_programs_can_verify_the_envelope",
        "test_the_api_is_not_requested_a_path_of_another_repository",
        "test_the_plain_documents_signature_is_one_of_its_canonical_text",
        "test_two_keys_that_are_not_a_pair_are_an_error",
        "test_what_another_key_signed_or_nobody_can_check_is_refused",
        "test_what_is_an_approval_counts",
        "test_what_is_missing_or_too_much_is_refused",
        "test_what_is_not_a_document_beyond_doubt_is_refused",
        "test_what_is_signed_for_a_record_of_the_log_is_not_a_decision",
        "test_what_the_key_signed_holds",
        "test_what_was_done_to_a_log_is_named",
        "test_what_was_is_remembered_for_the_check_only",
        "test_whatever_a_change_makes_of_the_folder_the_policy_is_that_of_the_base",
        "test_anybody_who_has_a_part_or_may_have_one_confirms_nothing",
    }
)
"""Attempts that `make test` runs, too: each reaches a branch of the gate that no other reaches."""


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most attempts to `make slow`, so that `make test` is quick; CI runs both."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and getattr(item, "originalname", item.name) not in REACHING:
            item.add_marker("slow")
