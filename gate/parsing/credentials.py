"""Credentials of the runner, which a policy cannot use: they do not belong to a backend.

Otherwise anybody who may write a policy could have them sent to any address.
"""

import re
from collections.abc import Mapping
from typing import Final

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


def owner(name: str) -> str | None:
    """Return the owner of a credential in an environment variable; None if it is not a runner's.

    Names are compared without regard to case, as on Windows.
    """
    first, _, rest = name.upper().partition("_")
    whose, pattern = _RUNNERS.get(first, ("", ""))
    return whose if rest and re.fullmatch(pattern, rest, re.ASCII) else None
