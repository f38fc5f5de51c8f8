"""The troubles with request logs in an object store, and their remedies.

These are more rows of `gate.measure.remedies.REMEDIES`, like those of `gate.measure.troubles`.
"""

from typing import Final

from gate.measure.troubles import Rows

STORES: Final[Rows] = (
    (
        "store-login",
        "No credentials for the store, or none that it accepts",
        "Credentials are found as the cloud's own tools find them: variables, a profile, the role"
        " of the job or the machine. There are none, they have expired, or the store does not know"
        " them.",
        "log in as for the cloud's own command (aws sts get-caller-identity, gcloud auth"
        " application-default print-access-token, az account show), in a CI job by its OIDC login",
    ),
    (
        "store-access",
        "The store denies access",
        "The credentials are known, and may not list the bucket or read an object. A prefix may be"
        " denied alone.",
        "grant the right to list the bucket and to read its objects (s3:ListBucket and"
        " s3:GetObject, roles/storage.objectViewer, Storage Blob Data Reader)",
    ),
    (
        "no-bucket",
        "The bucket does not exist",
        "The store knows no bucket or container of this name, or not in this account.",
        "correct the bucket's name in backend.path",
    ),
    (
        "store-region",
        "The bucket is in another region",
        "S3 answers requests to another region than the bucket's with a redirect.",
        "set AWS_REGION to the bucket's region",
    ),
    (
        "store-clock",
        "The machine's clock is wrong",
        "S3 refuses requests that are signed for a time more than 15 minutes away from its own.",
        "set this machine's clock by NTP",
    ),
    (
        "store-failed",
        "The store fails, or does not answer in time",
        "The store was asked several times and answered with an error, too slowly, or not at all."
        " The missing part of a listing or of an object could have failures, so nothing is"
        " counted.",
        "run gate again later, or with more time; check the network and, where it is set, the"
        " endpoint (AWS_ENDPOINT_URL, STORAGE_EMULATOR_HOST, AZURE_STORAGE_ENDPOINT)",
    ),
    (
        "changed-object",
        "An object has changed or is gone",
        "Between listing and reading somebody wrote, moved or deleted an object. Its content was"
        " counted neither before nor after.",
        "run gate again; let jobs that rewrite or move logs run at another time",
    ),
    (
        "archived-object",
        "An object is archived",
        "The object lies in an archive class (S3 Glacier, Azure's archive tier), from which it is"
        " not read at once.",
        "restore the object, or choose a window that begins later",
    ),
    (
        "no-partition",
        "No partition of the window",
        "Files or folders match, and by the time in their names none has rows of the window.",
        "check that logs of this time are there, and how backend.path names the time",
    ),
    (
        "large-scan",
        "The objects hold more than may be read",
        "The sizes of the objects that would be read are listed first, and compared.",
        "choose a shorter window or a path with partitions, or allow more",
    ),
)
"""Objects that cannot be listed or read."""
