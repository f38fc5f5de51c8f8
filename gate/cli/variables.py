"""The environment variables that commands read, as their help describes them."""

from typing import Final

VARIABLES: Final = {
    "GATE_SIGNING_KEY": "The key that signs decisions and attestations: a secret of 16 bytes or"
    " more (HMAC), or an Ed25519 private key in PEM.",
    "GATE_VERIFY_KEY": "The Ed25519 public key, in PEM, that decisions and attestations must be"
    " signed with.",
    "GITHUB_TOKEN": "Token for GitHub: approvals, labels, comments, commit statuses, deployments,"
    " and policies that the checkout does not have.",
    "GITHUB_API_URL": "Address of GitHub's API. Default: https://api.github.com.",
    "GITLAB_TOKEN": "Token of the GitLab project: approvals, labels, notes, commit statuses.",
    "CI_JOB_TOKEN": "GitLab's own token of the job: policies that the checkout does not have.",
    "CI ...": "Facts from the CI system about the job, the commit and the change: CI, GITHUB_*,"
    " GITLAB_*, CI_*, RUNNER_*, BUILDKITE_*, CIRCLE_*, CIRCLECI; of Jenkins JENKINS_*, CHANGE_*,"
    " GIT_*, BRANCH_*, BUILD_*, TAG_NAME, WORKSPACE. See --ci.",
    "AWS_*": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: the login of the"
    " backends aws-slo and cloudwatch and of auth: sigv4, else AWS_PROFILE or the machine's role.",
    "AZURE_*, IDENTITY_*": "The login of a backend with auth: azure.",
    "NO_COLOR": "Any value: no colour, unless --color says otherwise.",
    "FORCE_COLOR": "Any value: colour also where stdout is not a terminal.",
    "TERM": "dumb: no colour.",
    "COLUMNS": "Width of the terminal format, in columns. Default: the terminal's, else 100.",
    "HTTP_PROXY, HTTPS_PROXY, NO_PROXY": "The proxy of HTTP requests.",
    "REQUESTS_CA_BUNDLE": "Certificates that HTTPS servers are trusted by.",
}
"""The purpose of each, in a sentence; ``*`` means the rest of a name."""
_DISPLAY: Final = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS")
_HTTP: Final = ("HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "REQUESTS_CA_BUNDLE")
_MEASURING: Final = ("AWS_*", "AZURE_*, IDENTITY_*", *_HTTP, *_DISPLAY)
_HOSTS: Final = ("GITHUB_TOKEN", "GITHUB_API_URL", "GITLAB_TOKEN", "CI_JOB_TOKEN", "CI ...")
_DEPLOYS: Final = ("GITHUB_TOKEN", "GITHUB_API_URL", "CI ...")
_KEYS: Final = ("GATE_VERIFY_KEY", "GATE_SIGNING_KEY")
READ_BY: Final = {
    "check": ("GATE_SIGNING_KEY", "GATE_VERIFY_KEY", *_HOSTS, *_MEASURING),
    "sweep": (*_HOSTS, *_MEASURING),
    "verify": (*_KEYS, "CI ..."),
    "log": _KEYS,
    "evaluation": (*_KEYS, *_DISPLAY),
    "attest": ("GATE_SIGNING_KEY", "CI ..."),
    "test": (*_KEYS, *_DISPLAY),
    **dict.fromkeys(("report", "incidents", "backtest"), (*_DEPLOYS, *_MEASURING)),
    **dict.fromkeys(("status", "doctor", "forecast", "review", "anomalies", "cohorts"), _MEASURING),
    "watch": (*_HOSTS[:3], "CI ...", *_MEASURING),
    "presets": _DISPLAY,
}
"""The variables by command; other commands read none."""
