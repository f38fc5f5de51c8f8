"""Credentials of the runner, which no policy may have filled in: they are not a backend's.

Whoever may write a policy could otherwise have them sent to an address of their choice.
"""

import re
from typing import Final

_SECRET: Final = r"(?:TOKEN|PASSWORD|PASSWD|SECRET|PAT|JWT|KEY)(?:S|V?[0-9]+|_\w+)?"  # noqa: S105 - words in the names of such
_RUNNERS: Final = {
    # https://docs.github.com/actions/reference/workflows-and-actions/variables and
    # https://docs.github.com/actions/reference/security/oidc; INPUT_ has what an action is given.
    # https://cli.github.com/manual/gh_help_environment
    "GitHub Actions": rf"GITHUB_(?:\w*_)?{_SECRET}|GH_(?:\w*_)?{_SECRET}|ACTIONS_\w+|INPUT_\w+"
    rf"|RUNNER_\w*{_SECRET}",
    # https://docs.gitlab.com/ci/variables/predefined_variables/; CI_REPOSITORY_URL has the job's
    # token in it.
    "GitLab CI": rf"GITLAB_(?:\w*_)?{_SECRET}|CI_(?:\w*_)?{_SECRET}|CI_REPOSITORY_URL"
    r"|CI_DEPENDENCY_PROXY_\w+|GL_TOKEN",
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    "Buildkite": rf"BUILDKITE_(?:\w*_)?{_SECRET}",
    # https://circleci.com/docs/reference/variables/
    "CircleCI": rf"CIRCLE_(?:\w*_)?{_SECRET}|CIRCLECI_(?:\w*_)?{_SECRET}",
    # https://learn.microsoft.com/azure/devops/pipelines/build/variables;
    # https://learn.microsoft.com/azure/devops/cli/log-in-via-pat
    "Azure Pipelines": rf"SYSTEM_\w*{_SECRET}|AZURE_DEVOPS_EXT_PAT|VSTS_\w*{_SECRET}"
    r"|ENDPOINT_AUTH_\w+",
    # https://www.jenkins.io/doc/book/managing/nodes/ and /doc/book/managing/cli/
    "Jenkins": rf"JENKINS_(?:\w*_)?{_SECRET}|JENKINS_AUTH|HUDSON_\w*{_SECRET}",
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    "Bitbucket Pipelines": rf"BITBUCKET_(?:\w*_)?{_SECRET}",
    # https://docs.drone.io/pipeline/environment/reference/; https://woodpecker-ci.org/docs/usage/environment
    "Drone and Woodpecker": rf"DRONE_\w*{_SECRET}|DRONE_NETRC_\w+|CI_NETRC_\w+"
    rf"|WOODPECKER_\w*{_SECRET}",
    # https://forgejo.org/docs/latest/user/actions/; https://docs.gitea.com/usage/actions/
    "Forgejo and Gitea": rf"(?:FORGEJO|GITEA)_\w*{_SECRET}",
    # https://git-scm.com/book/en/v2/Git-Internals-Environment-Variables; ssh-agent(1)
    "git and ssh": rf"SSH_\w+|GIT_\w*{_SECRET}|GIT_(?:SSH|ASKPASS|CONFIG)\w*",
    # The gate's own: its key, and what the Action and the GitLab component hand to it.
    "the gate": r"GATE_\w+",
    # https://docs.npmjs.com/using-private-packages-in-a-ci-cd-workflow;
    # https://twine.readthedocs.io/en/stable/#environment-variables;
    # https://doc.rust-lang.org/cargo/reference/environment-variables.html;
    # https://docs.astral.sh/uv/reference/environment/; https://docs.gitlab.com/ci/docker/
    "a package registry": rf"NPM_\w*{_SECRET}|NODE_AUTH_TOKEN|TWINE_PASSWORD|PYPI_\w*{_SECRET}"
    rf"|CARGO_\w*{_SECRET}|UV_PUBLISH_\w+|DOCKER_(?:AUTH_CONFIG|\w*{_SECRET})",
    # https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html: these sign
    # requests and are never sent themselves, so that they belong in no header and no address.
    # https://developer.hashicorp.com/vault/docs/commands#configure-environment-variables
    "a cloud or vault": r"AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_SECURITY_TOKEN"
    r"|AWS_CONTAINER_AUTHORIZATION_TOKEN|VAULT_TOKEN",
}
"""Patterns of names by whose they are; Windows does not tell the case of a name."""


def owner(name: str) -> str | None:
    """Return whose credential an environment variable is; None where it is not a runner's."""
    for whose, pattern in _RUNNERS.items():
        if re.fullmatch(pattern, name, re.IGNORECASE | re.ASCII):
            return whose
    return None
