"""The CI artifacts of a commit: their list, and their archives.

https://docs.github.com/en/rest/actions/artifacts, https://docs.gitlab.com/api/job_artifacts/
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Protocol

from gate.dataclass import dataclass
from gate.hosts import Purpose
from gate.hosts.accounts import read_instant
from gate.hosts.rest import Rest

LARGEST: Final = 128 << 20
"""The maximum size of an archive in bytes."""
_LIST: Final = Purpose("list the CI artifacts", "actions: read")
_DOWNLOAD: Final = Purpose("download a CI artifact", "actions: read")
_REPORTER: Final = "the role Reporter in the project and the scope api or read_api"
_PIPELINES: Final = Purpose("list the pipelines of a commit", _REPORTER)
_JOBS: Final = Purpose("list the jobs of a pipeline", _REPORTER)
_ARCHIVE: Final = Purpose("download the artifacts of a job", _REPORTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An artifact that a CI run for a commit has uploaded."""

    number: int
    """The host's own number: of the artifact on GitHub, of the job on GitLab."""
    made_at: datetime
    """The time of its upload on GitHub, or of the end of its job on GitLab."""
    expired: bool
    """Whether the host says that it has deleted the archive; GitLab no longer lists such
    archives."""


class ArtifactHost(Protocol):
    """The questions to a code host about CI artifacts. Every method raises `RestError`."""

    def of_commit(self, name: str, revision: str) -> tuple[Artifact, ...]:
        """Return all artifacts of this name whose CI run was for exactly this commit."""

    def archive(self, artifact: Artifact) -> bytes:
        """Return the zip file."""


@dataclass(frozen=True, slots=True)
class GitHubArtifacts:
    """The artifacts of one repository. Every method raises `GitHubError`."""

    rest: Rest
    repository: str
    """The repository's path: ``repos/acme/chat``."""

    def of_commit(self, name: str, revision: str) -> tuple[Artifact, ...]:
        """Return all artifacts of this name whose workflow run was for exactly this commit."""
        path = f"{self.repository}/actions/artifacts"
        with self.rest.understood(_LIST):
            pages = self.rest.pages(_LIST, path, {"name": name}, key="artifacts")
            return tuple(
                Artifact(
                    number=int(artifact["id"]),
                    made_at=read_instant(artifact["created_at"]),
                    expired=bool(artifact["expired"]),
                )
                for artifact in pages
                if artifact["name"] == name and _commit_of(artifact) == revision
            )

    def archive(self, artifact: Artifact) -> bytes:
        """Return the zip file, which GitHub keeps on another host."""
        path = f"{self.repository}/actions/artifacts/{artifact.number}/zip"
        return self.rest.download(_DOWNLOAD, path, LARGEST)


@dataclass(frozen=True, slots=True)
class GitLabArtifacts:
    """The artifacts of one project; the name is that of the job. Raises `GitLabError`."""

    rest: Rest
    project: str
    """The project's path: ``projects/42``."""

    def of_commit(self, name: str, revision: str) -> tuple[Artifact, ...]:
        """Return the archives of all jobs of this name in the pipelines of exactly this commit.

        Jobs that were run again are among them. Jobs without an archive are left out.
        """
        with self.rest.understood(_JOBS):
            return tuple(
                Artifact(
                    number=int(job["id"]),
                    made_at=read_instant(job.get("finished_at") or job["created_at"]),
                    expired=False,
                )
                for pipeline in self._pipelines(revision)
                for job in self.rest.pages(
                    _JOBS,
                    f"{self.project}/pipelines/{pipeline}/jobs",
                    {"include_retried": "true"},
                )
                if job["name"] == name and job.get("artifacts_file") is not None
            )

    def archive(self, artifact: Artifact) -> bytes:
        """Return the zip file."""
        path = f"{self.project}/jobs/{artifact.number}/artifacts"
        return self.rest.download(_ARCHIVE, path, LARGEST)

    def _pipelines(self, revision: str) -> Iterator[int]:
        with self.rest.understood(_PIPELINES):
            listed = self.rest.pages(_PIPELINES, f"{self.project}/pipelines", {"sha": revision})
            for pipeline in listed:
                if pipeline["sha"] == revision:
                    yield int(pipeline["id"])


def _commit_of(artifact: Any) -> str | None:
    """Return the commit of the run that made an artifact; None: GitHub has deleted the run."""
    run = artifact.get("workflow_run")
    return None if run is None else run.get("head_sha")
