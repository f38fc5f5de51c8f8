"""GitLab, Buildkite, Jenkins and CircleCI, which describe a job in variables."""

from gate.decision.decision import Context
from gate.hosts.systems.environ import Environ, number, repository, split


def buildkite(environ: Environ) -> Context | None:
    """Read https://buildkite.com/docs/pipelines/configure/environment-variables."""
    if environ.get("BUILDKITE") != "true":
        return None
    return Context(
        system="buildkite",
        repository=repository(environ.get("BUILDKITE_REPO")),
        revision=environ.get("BUILDKITE_COMMIT"),
        branch=environ.get("BUILDKITE_BRANCH"),
        base=environ.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH") or None,
        base_branch=environ.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH") or None,
        default_branch=environ.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        workspace=environ.get("BUILDKITE_BUILD_CHECKOUT_PATH"),
        pull_request=number(environ.get("BUILDKITE_PULL_REQUEST")),
        labels=split(environ.get("BUILDKITE_PULL_REQUEST_LABELS")),
        actor=environ.get("BUILDKITE_BUILD_CREATOR"),
        people=tuple(
            filter(
                None,
                [environ.get("BUILDKITE_BUILD_CREATOR"), environ.get("BUILDKITE_BUILD_AUTHOR")],
            )
        ),
        url=environ.get("BUILDKITE_BUILD_URL"),
    )


def jenkins(environ: Environ) -> Context | None:
    """Read https://www.jenkins.io/doc/book/pipeline/multibranch/#additional-environment-variables."""
    if "JENKINS_URL" not in environ:
        return None
    request = number(environ.get("CHANGE_ID"))
    return Context(
        system="jenkins",
        repository=repository(environ.get("GIT_URL")),
        revision=environ.get("GIT_COMMIT"),
        branch=environ.get("CHANGE_BRANCH") or environ.get("BRANCH_NAME"),
        base=environ.get("CHANGE_TARGET"),
        base_branch=environ.get("CHANGE_TARGET"),
        default_branch=environ.get("BRANCH_NAME")
        if environ.get("BRANCH_IS_PRIMARY") == "true"
        else None,
        workspace=environ.get("WORKSPACE"),
        pull_request=request,
        title=environ.get("CHANGE_TITLE"),
        labels=() if request is None else None,
        author=environ.get("CHANGE_AUTHOR"),
        people=tuple(filter(None, [environ.get("CHANGE_AUTHOR"), environ.get("BUILD_USER_ID")])),
        no_secrets="CHANGE_FORK" in environ,
        url=environ.get("BUILD_URL"),
    )


def circleci(environ: Environ) -> Context | None:
    """Read https://circleci.com/docs/variables/#built-in-environment-variables."""
    if environ.get("CIRCLECI") != "true":
        return None
    request = number(environ.get("CIRCLE_PULL_REQUEST", "").rpartition("/")[2])
    user, name = environ.get("CIRCLE_PROJECT_USERNAME"), environ.get("CIRCLE_PROJECT_REPONAME")
    return Context(
        system="circleci",
        repository=f"{user}/{name}" if user and name else None,
        revision=environ.get("CIRCLE_SHA1"),
        branch=environ.get("CIRCLE_BRANCH"),
        pull_request=request,
        labels=() if request is None else None,
        actor=environ.get("CIRCLE_USERNAME"),
        people=tuple(filter(None, [environ.get("CIRCLE_USERNAME")])),
        workspace=environ.get("CIRCLE_WORKING_DIRECTORY"),
        no_secrets="CIRCLE_PR_NUMBER" in environ,  # this variable is set for forks only
        url=environ.get("CIRCLE_BUILD_URL"),
    )


def gitlab(environ: Environ) -> Context | None:
    """Read https://docs.gitlab.com/ci/variables/predefined_variables/."""
    if environ.get("GITLAB_CI") != "true":
        return None
    request = environ.get("CI_MERGE_REQUEST_IID")
    project, source = (
        environ.get("CI_PROJECT_PATH"),
        environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"),
    )
    return Context(
        system="gitlab",
        event=environ.get("CI_PIPELINE_SOURCE"),
        repository=project,
        # In a merged results pipeline CI_COMMIT_SHA is the trial merge.
        revision=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA"),
        branch=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
        or environ.get("CI_COMMIT_REF_NAME"),
        base_branch=environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        default_branch=environ.get("CI_DEFAULT_BRANCH"),
        workspace=environ.get("CI_PROJECT_DIR"),
        target_project=environ.get("CI_MERGE_REQUEST_PROJECT_ID"),
        # The commit before a push need not be live: earlier pushes may have been stopped.
        base=_base(environ) if request else None,
        pull_request=number(request),
        title=environ.get("CI_MERGE_REQUEST_TITLE"),
        labels=split(environ.get("CI_MERGE_REQUEST_LABELS")),
        actor=environ.get("GITLAB_USER_LOGIN"),
        people=tuple(filter(None, [environ.get("GITLAB_USER_LOGIN")])),
        no_secrets=source is not None and source != project,
        url=environ.get("CI_JOB_URL"),
        frozen=bool(environ.get("CI_DEPLOY_FREEZE")),
    )


def _base(environ: Environ) -> str | None:
    """Return the target commit of a merge request, or else the merge base, which says less.

    Only a pipeline for merged results knows the target commit: a file may have moved there since.
    """
    target = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")
    return target or environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")
