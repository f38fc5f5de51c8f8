"""The identity of the gate in a run, and its comment on the pull request."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gate.cli.ci_environment import CiEnvironment, prefix_of
from gate.cli.streams import write_note
from gate.decision.decision import Context, Decision
from gate.errors import ExitCode
from gate.hosts.comments import Act, CommentOutcome, CommentWriter, marker, upsert
from gate.hosts.identity import GateIdentity, path_from_top
from gate.reporters import render
from gate.reporters.ansi import Style

_LEG: Final = re.compile(r"(?:: (?P<values>\[.*\])| (?P<number>\d+/\d+))$")
"""The end of a GitLab job's name: https://docs.gitlab.com/ci/yaml/#parallel."""
_STYLE: Final = Style()


def identity_of(
    paths: Sequence[str],
    place: CiEnvironment,
    *,
    key: str | None,
    status_name: str | None,
    folder: str = ".",
) -> GateIdentity:
    """Return the identity of the gate in this run, even if its policies cannot be read.

    Args:
        paths: the paths of the policies, as they were given.
        place: the environment of this run.
        key: the key of the user; None: on GitLab, the leg of a matrix.
        status_name: the name of the status from the user.
        folder: the folder in which the paths start, relative to the working folder.
    """
    top = working_folder(place.context)
    return GateIdentity(
        paths=tuple(path_from_top(str(Path(folder, path)), top) for path in paths),
        environment=place.context.environment,
        key=key or _leg_of(place.environ),
        status_name=status_name or None,
    )


def working_folder(context: Context) -> str:
    """Return the working folder from the top of the CI system's checkout, otherwise of git's."""
    if context.workspace:
        with suppress(ValueError, OSError):
            return Path.cwd().resolve().relative_to(Path(context.workspace).resolve()).as_posix()
    return prefix_of(context)


def _leg_of(environ: Mapping[str, str]) -> str | None:
    """Return which of several jobs with one definition this is, if the CI system says so."""
    if environ.get("GITLAB_CI") != "true" or "CI_NODE_TOTAL" not in environ:
        return None
    match = _LEG.search(environ.get("CI_JOB_NAME", ""))
    return match and (match["values"] or match["number"])


def writer_of(environ: Mapping[str, str], code: ExitCode) -> CommentWriter | None:
    """Return the job that writes a comment, with its severity; None: unknown."""
    run = environ.get("GITHUB_RUN_ID"), environ.get("GITHUB_RUN_ATTEMPT", "1")
    job = environ.get("RUNNER_TRACKING_ID") or environ.get("RUNNER_NAME")
    if environ.get("GITLAB_CI") == "true":
        run, job = (environ.get("CI_PIPELINE_ID"), ""), environ.get("CI_JOB_NAME")
    if run[0] is None or not job:
        return None
    job = f"{environ.get('GITHUB_JOB', '')} {job}"
    return CommentWriter(run=f"{run[0]} {run[1]}", job=job, severity=_SEVERITIES.get(code, 3))


_SEVERITIES: Final = {ExitCode.ALLOW: 0, ExitCode.WARN: 1, ExitCode.UNDECIDED: 2}


def keep_comment(decision: Decision, place: CiEnvironment, identity: GateIdentity) -> None:
    """Write or update the comment on a decision, or report why not."""
    services = [decided.policy.service for decided in decision.policies]
    paths = [decided.source.path for decided in decision.policies]
    former = former_marker(services, paths, identity)
    text = render("markdown", decision, _STYLE)
    keep_page(text, place, identity, decision.exit_code, former=former)


def keep_page(
    text: str,
    place: CiEnvironment,
    identity: GateIdentity,
    code: ExitCode,
    *,
    former: str | None = None,
) -> None:
    """Write or update the comment, or report why not.

    Args:
        text: the text in Markdown.
        place: the environment of this run.
        identity: the identity of the gate.
        code: the exit code of the run.
        former: the marker of the comment in earlier versions.
    """
    context = place.context
    client, pull = place.host(), context.pull_request
    if pull is None:
        write_note("gate: no comment: there is no pull request")
    elif context.no_secrets:
        write_note("gate: no comment: the token of a fork or of Dependabot is read-only")
    elif client is None:
        write_note(f"gate: no comment: there is no token for {context.system}")
    else:
        writer = writer_of(place.environ, code)
        outcome = upsert(client, pull, identity.marker, text, former=former, writer=writer)
        write_note(_of_comment(outcome))


def former_marker(services: Sequence[str], paths: Sequence[str], identity: GateIdentity) -> str:
    """Return the marker of the same gate's comment in earlier versions.

    Args:
        services: the services of the policies.
        paths: the paths as they were given.
        identity: the identity of the gate.
    """
    return marker(", ".join(services), ", ".join(paths), identity.environment)


def _of_comment(outcome: CommentOutcome) -> str:
    if outcome.act is Act.FAILED:
        return f"gate: warning: no comment: {outcome.trouble}"
    trouble = f"; warning: {outcome.trouble}" if outcome.trouble else ""
    return f"gate: comment {outcome.act}: {outcome.url}{trouble}"
