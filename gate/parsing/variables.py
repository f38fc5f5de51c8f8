"""Environment variables in a file, and credentials of the runner, which no policy may fill in.

The latter are not a backend's: whoever may write a policy could otherwise have them sent to an
address of their choice.
"""

import re
from collections.abc import Mapping
from typing import Final

import yaml

from gate.parsing.reader import VARIABLE, Reader, UnreadableError

_SECRET: Final = r"(?:TOKEN|PASSWORD|PASSWD|SECRET|PAT|JWT|KEY)(?:S|V?[0-9]+|_\w+)?"  # noqa: S105 - words in the names of such
_SECRETS: Final = rf"(?:\w*_)?{_SECRET}"
_ANY: Final = r"\w+"
_RUNNERS: Final[Mapping[str, tuple[str, str]]] = {
    # https://docs.github.com/actions/reference/workflows-and-actions/variables and
    # https://docs.github.com/actions/reference/security/oidc; INPUT_ has what an action is given.
    # https://cli.github.com/manual/gh_help_environment
    "GITHUB": ("GitHub Actions", _SECRETS),
    "GH": ("GitHub Actions", _SECRETS),
    "ACTIONS": ("GitHub Actions", _ANY),
    "INPUT": ("GitHub Actions", _ANY),
    "RUNNER": ("GitHub Actions", _SECRETS),
    # https://docs.gitlab.com/ci/variables/predefined_variables/; CI_REPOSITORY_URL has the job's
    # token in it. https://woodpecker-ci.org/docs/usage/environment has CI_NETRC_PASSWORD.
    "CI": ("GitLab CI", rf"{_SECRETS}|REPOSITORY_URL|DEPENDENCY_PROXY_\w+|NETRC_\w+"),
    "GITLAB": ("GitLab CI", _SECRETS),
    "GL": ("GitLab CI", "TOKEN"),
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    "BUILDKITE": ("Buildkite", _SECRETS),
    # https://circleci.com/docs/reference/variables/
    "CIRCLE": ("CircleCI", _SECRETS),
    "CIRCLECI": ("CircleCI", _SECRETS),
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables
    # https://learn.microsoft.com/azure/devops/cli/log-in-via-pat
    "SYSTEM": ("Azure Pipelines", rf"\w*{_SECRET}"),
    "VSTS": ("Azure Pipelines", rf"\w*{_SECRET}"),
    "ENDPOINT": ("Azure Pipelines", r"AUTH_\w+"),
    "AZURE": ("Azure Pipelines", "DEVOPS_EXT_PAT"),
    # https://www.jenkins.io/doc/book/managing/nodes/ and https://www.jenkins.io/doc/book/managing/cli/
    "JENKINS": ("Jenkins", rf"{_SECRETS}|AUTH"),
    "HUDSON": ("Jenkins", _SECRETS),
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    "BITBUCKET": ("Bitbucket Pipelines", _SECRETS),
    # https://docs.drone.io/pipeline/environment/reference/
    "DRONE": ("Drone", rf"{_SECRETS}|NETRC_\w+"),
    "WOODPECKER": ("Woodpecker", _SECRETS),
    # https://forgejo.org/docs/latest/user/actions/ and https://docs.gitea.com/usage/actions/
    "FORGEJO": ("Forgejo", _SECRETS),
    "GITEA": ("Gitea", _SECRETS),
    # https://git-scm.com/book/en/v2/Git-Internals-Environment-Variables; ssh-agent(1)
    "GIT": ("git", rf"{_SECRETS}|(?:SSH|ASKPASS|CONFIG)\w*"),
    "SSH": ("ssh", _ANY),
    # The gate's own: its key, and the variables that the Action and the GitLab component pass to
    # it.
    "GATE": ("the gate", _ANY),
    # Package registries: https://docs.npmjs.com/using-private-packages-in-a-ci-cd-workflow
    # https://twine.readthedocs.io/en/stable/#environment-variables
    # https://doc.rust-lang.org/cargo/reference/environment-variables.html
    # https://docs.astral.sh/uv/reference/environment/ and https://docs.gitlab.com/ci/docker/
    "NPM": ("a package registry", _SECRETS),
    "NODE": ("a package registry", "AUTH_TOKEN"),
    "TWINE": ("a package registry", "PASSWORD"),
    "PYPI": ("a package registry", _SECRETS),
    "CARGO": ("a package registry", _SECRETS),
    "UV": ("a package registry", r"PUBLISH_\w+"),
    "DOCKER": ("a package registry", rf"{_SECRETS}|AUTH_CONFIG"),
    # https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html: these sign
    # requests and are never sent themselves, so that they belong in no header and no address.
    "AWS": (
        "Amazon's cloud",
        "SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|CONTAINER_AUTHORIZATION_TOKEN",
    ),
    # https://developer.hashicorp.com/vault/docs/commands#configure-environment-variables
    "VAULT": ("Vault", "TOKEN"),
}
"""The owner, and a pattern for the rest of a credential's name, by its first word."""
_PARTS = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_REFERENCE = re.compile(
    r"""\$\{(?:([A-Za-z_]\w*) :?[-?+=]  # with a default, in any way that a shell has
        | (?!\d*,?\d*\}) ([^{}"']*) \})""",  # but not the repetitions of a regex
    re.VERBOSE | re.ASCII,
)
"""Text that its author meant as a variable; ``$window``, ``{x=~"a${"}`` and ``a${2}`` are not
variables."""
OUTSIDE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
"""A variable without a default: the only form in which a file may refer to a secret."""
DOLLAR_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
"""A variable in another form of shells, which is not filled in."""


def owner(name: str) -> str | None:
    """Return the owner of a credential in an environment variable; None if it is not a runner's.

    Names are compared without regard to case, as on Windows.
    """
    first, _, rest = name.upper().partition("_")
    whose, pattern = _RUNNERS.get(first, ("", ""))
    return whose if rest and re.fullmatch(pattern, rest, re.ASCII) else None


def filled_in(node: yaml.ScalarNode, reader: Reader) -> str:
    """Return the scalar's text with every ``${NAME}`` or ``${NAME:-default}`` filled in.

    This is only for settings of a connection: the value of a variable may be a secret.

    Raises:
        UnreadableError: a variable is not set, or belongs to the runner; the mistake is noted.
    """

    def value(variable: re.Match[str]) -> str:
        name = _PARTS.fullmatch(variable[1]) if variable[2] else None
        if name is None:
            # The text is not repeated: it may be the secret itself.
            message = "not a valid environment variable; write ${NAME} or ${NAME:-default}"
            raise reader.fail(node, message)
        if (whose := owner(name[1])) is not None:
            message = (
                f"${{{name[1]}}} is never filled in: it is a credential of {whose} and not of"
                " the backend; set a variable of another name for it, and write that one"
            )
            raise reader.fail(node, message)
        if (value := reader.environ.get(name[1])) or name[2] is not None:
            return value or name[2]
        message = f"the environment variable {name[1]} is not set; "
        message += "gate check needs it" if reader.offline else "set it where gate runs"
        reader.note(node, message, fatal=not reader.offline, unset=name[1])
        raise UnreadableError(message)

    if unfilled := DOLLAR_NAME.fullmatch(node.value.strip()):
        message = f"${unfilled[1]} is not filled in; write ${{{unfilled[1]}}}"
        raise reader.fail(node, message)
    return VARIABLE.sub(value, node.value)


def literal_text(node: yaml.ScalarNode, reader: Reader, *, key: bool = False) -> str:
    """Return the scalar's text, which must not contain a variable.

    Raises:
        UnreadableError: it contains one; the mistake is noted.
    """
    variable = _REFERENCE.search(node.value)
    if variable is None:
        return str(node.value)
    message = (
        f"{_without_default(variable)} {'in a key ' if key else ''}is not filled in here:"
        " environment variables work only in the settings of the backend's connection;"
        " write the text itself"
    )
    raise reader.fail(node, message)


def _without_default(variable: re.Match[str]) -> str:
    """Return a variable as it is written, without the text beside its name."""
    return f"${{{variable[1] or variable[2]}}}"


def secret_in_file(text: str) -> str:
    """Say that a secret is not allowed in a file, without repeating it."""
    if name := DOLLAR_NAME.fullmatch(text):
        return f"${name[1]} is not filled in; write ${{{name[1]}}}"
    return "a secret must not be in the file; write ${NAME} and set NAME in the environment"
