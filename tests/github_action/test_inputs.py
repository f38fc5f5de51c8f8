"""The command line that the inputs of the Action produce."""

import pytest

from gate.errors import UsageError
from gate.github_action.inputs import gate_inputs, read_inputs, variable


def given(**inputs: str) -> dict[str, str]:
    return {variable(name): value for name, value in inputs.items()}


@pytest.mark.parametrize(
    ("inputs", "options"),
    [
        ({}, ()),
        ({"change": "canary"}, ("--change=canary",)),
        ({"change": " canary\n"}, ("--change=canary",)),
        ({"change": "--dry-run"}, ("--change=--dry-run",)),
        ({"dry-run": "true"}, ("--dry-run",)),
        ({"dry-run": "false"}, ()),
        (
            {"met": "shadow=a\n\n  soak=b c\n"},
            ("--met=shadow=a", "--met=soak=b c"),
        ),
        ({"write": "sarif=gate.sarif"}, ("--write=sarif=gate.sarif",)),
        ({"policy-ref": "v1"}, ("--policy-ref=v1",)),
        ({"policy-ref": "none"}, ("--policy-ref=none",)),
        ({"fail-on": "warn"}, ("--fail-on=warn",)),
        ({"environment": "production"}, ("--environment=production",)),
        ({"comment": "true"}, ()),
        ({"status": "true"}, ("--status",)),
    ],
)
def test_an_input_becomes_an_option_in_one_piece(
    inputs: dict[str, str], options: tuple[str, ...]
) -> None:
    assert read_inputs(given(**inputs)).options == options


@pytest.mark.parametrize(
    ("text", "policies"),
    [
        ("", ("gate.yaml",)),
        ("a b.yaml", ("a b.yaml",)),
        ("\n a.yaml\n\nb.yaml\n", ("a.yaml", "b.yaml")),
    ],
)
def test_policies_stand_one_a_line(text: str, policies: tuple[str, ...]) -> None:
    assert read_inputs(given(policies=text)).policies == policies


@pytest.mark.parametrize(
    "name", ["dry-run", "summary", "comment", "status", "logs", "on-no-secrets"]
)
def test_a_word_that_an_input_does_not_know_is_an_error(name: str) -> None:
    with pytest.raises(UsageError, match=f"the input {name} is 'yes', but must be one of"):
        read_inputs(given(**{name: "yes"}))


@pytest.mark.parametrize("ref", ["", "main", "none"])
def test_which_policy_counts_is_left_to_the_command(ref: str) -> None:
    assert read_inputs(given(**{"policy-ref": ref})).policy_ref == ref


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", None),
        ("null", None),
        ("{}", None),
        ("eu", "eu"),
        ("7", "7"),
        ('{"region": "eu"}', "eu"),
        ('{"region": "eu", "size": 2, "flags": ["a"]}', 'eu; 2; ["a"]'),
        ('{"a": "x; y"}', '"x; y"'),
        ('{"a": "x", "b": "y"}', "x; y"),
    ],
)
def test_the_key_is_that_of_the_user_or_the_leg_of_the_matrix(text: str, key: str | None) -> None:
    environ = given(**{"gate-key": text})
    inputs = read_inputs(environ)
    assert inputs.gate.key == gate_inputs(environ).key == key
    assert inputs.options == ((f"--gate-key={key}",) if key else ())
