"""GitLab: its predefined variables.

https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from gate.decision.decision import Context
from gate.hosts.systems.environ import Environ, number, split


def gitlab(environ: Environ) -> Context | None:
    """Return the context of a job."""
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
        # What a push had before it is not what is live: the pushes before may have been stopped.
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
    """Return what a merge request is merged into; else its merge base with that, which says less.

    Only a pipeline of merged results knows the first: a file may have moved there since.
    """
    target = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")
    return target or environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")
