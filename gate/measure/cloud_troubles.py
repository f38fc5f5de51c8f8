"""The troubles with an SLO platform, and with request logs in an object store; and their remedies.

These are rows of `gate.measure.remedies.REMEDIES`, like those of `gate.measure.troubles`. The ones
for platforms are in place of those for connections that mention a Prometheus server. Each platform
has its own words for logins and rights.
"""

from typing import Final

from gate.measure.troubles import Rows

CORRECT_LOGIN: Final = "correct the address or the login of the backend"
"""The remedy of ``gate doctor`` for a refusal without a remedy in its own words."""
PLATFORMS: Final[Rows] = (
    (
        "platform-name",
        "The platform has no SLO of this name",
        "The name is misspelt or was changed, the SLO was deleted, or the login sees another site,"
        " project, region, space or account than the one that has it.",
        "correct sli.slo, which is the exact name or the id of an SLO of the platform",
    ),
    (
        "platform-names",
        "Several SLOs of the platform have this name",
        "None of them is meant: the gate does not choose.",
        "write one of these as sli.slo",
    ),
    (
        "platform-definition",
        "The platform's SLO cannot be judged",
        "The SLO is there, and its definition is one that the gate cannot count or read. The"
        " message says what.",
        "correct sli.slo or sli.group, or the SLO in the platform",
    ),
    (
        "platform-difference",
        "Policy and platform promise different things",
        "The policy has an objective and a window of its own, and the platform's SLO has others.",
        "write the same in both, or take objective and window from the platform with from:"
        " platform",
    ),
    (
        "platform-choice",
        "The platform's SLO promises several things, or not this",
        "An SLO of a platform may have an objective for each of several windows. The policy does"
        " not say which one is meant, or names one that is not there.",
        "choose one of these promises with window, or with objective",
    ),
    (
        "platform-silent",
        "The platform has no data of this SLO",
        "The SLO is there, and the platform has counted nothing in its window: no events happened,"
        " or a metric or an index that it counts has another name now.",
        "see on the platform's own page of this SLO whether it has data in its window",
    ),
    (
        "platform-answer",
        "The platform's answer cannot be a count",
        "A number is missing, impossible, or contradicts another. The message has the numbers.",
        "compare the SLO, and its group, with the platform's own page of it",
    ),
    (
        "platform-now",
        "The platform answers for now only",
        "The API has no parameter for an instant, so that it has no answers about the past.",
        "ask without an instant of the past",
    ),
    (
        "platform-login",
        "The platform does not accept the login",
        "The key or token is missing or wrong, has expired, or belongs to another site or region.",
        "check the key or token of the backend, and that it belongs to this site or region",
    ),
    (
        "platform-rights",
        "The platform refuses the right to read",
        "The login is valid, and may not read SLOs here.",
        "give the login the rights to read SLOs that docs/platforms.md lists",
    ),
    (
        "platform-path",
        "The platform has no such API here",
        "The address is not that of the platform's API, or the platform's version is too old.",
        "check the url, site or region of the backend; remove backend.url where no proxy or private"
        " address is needed",
    ),
    (
        "platform-server",
        "Not the API of the platform",
        "Something else answers at this address: a proxy, a web application, or the platform's"
        " pages for people.",
        "this is not the API of the platform: check backend.url",
    ),
    (
        "platform-page",
        "A page for people answers in place of the platform",
        "A proxy for single sign-on sends everybody to a login page, or shows an error page.",
        "set backend.url to an address that reaches the API without a login page",
    ),
    (
        "platform-slow",
        "The platform does not answer in time",
        "The platform, or the way to it, is slow, or the platform limits how many requests it takes"
        " in a minute.",
        "allow it more time, or run the check again",
    ),
    (
        "platform-certificate",
        "The platform's certificate is not trusted",
        "A proxy on the way signs with its own authority, which this machine does not know.",
        "set REQUESTS_CA_BUNDLE to the PEM file of the authority that signed it",
    ),
    (
        "platform-limit",
        "The platform is overloaded, or limits its requests",
        "The platform, or a proxy before it, answers 429, 500, 502, 503 or 504.",
        "run the check again later; see whether something else uses up the platform's rate limit",
    ),
)
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
