"""The world itself: what may ship does, and what may not does not."""

import pytest

from tests.attacks.world import World, keeps_its_secrets


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("change, code", [("model-update", 10), ("bug-fix", 0)])
def test_a_stated_class_is_judged_by_the_policy_of_main(
    world: World, depth: int, change: str, code: int
) -> None:
    world.change()
    world.open()
    world.check_out(depth=depth)
    result = world.run("--change", change)
    assert result.exit_code == code, result.stderr
    assert keeps_its_secrets(result)


def test_a_change_of_one_class_is_recognised_on_a_full_checkout(world: World) -> None:
    world.change("fix: answer", {"src/a.py": "a = 2\n"})
    world.open()
    world.check_out()
    result = world.run()
    assert result.exit_code == 0, result.stdout
    assert "bug-fix" in result.stdout


def test_a_push_to_main_is_judged_by_the_policy_that_it_has(world: World) -> None:
    world.commit("feat: rewrite", {"src/a.py": "a = 2\n"})
    world.pushed()
    world.check_out()
    assert world.run().exit_code == 10
