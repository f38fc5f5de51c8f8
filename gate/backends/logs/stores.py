"""Stores of objects: the address of a bucket, its credentials, and its client.

The cloud's own library finds the credentials in its usual order; obstore sends the requests.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from gate.backends.logs.refusals import unreadable
from gate.backends.sql.rows import invalid
from gate.dataclass import dataclass
from gate.measure import MeasurementError
from gate.measure.remedies import hint_for

Credentials = Mapping[str, Any]
"""Credentials in the form that obstore expects from a provider."""
_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]*)(?:/(.*))?", re.DOTALL | re.IGNORECASE)
_EXTRAS: Final[Mapping[str, str]] = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "azure": "az",
    "abfs": "az",
    "abfss": "az",
}
"""The extra of the package that a scheme needs; it is also the kind of the store."""
_PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "s3": ("obstore", "fsspec", "botocore"),
    "gs": ("obstore", "fsspec", "google-auth"),
    "az": ("obstore", "fsspec", "azure-identity"),
}
_SCOPES: Final = {
    "gs": "https://www.googleapis.com/auth/devstorage.read_only",
    "az": "https://storage.azure.com/.default",
}
_AGAIN: Final = timedelta(minutes=10)
"""The time after which a provider is called again; it renews expiring credentials by itself."""
_READ_TIMEOUT: Final = timedelta(seconds=10)
"""The time in which a store must send some data."""


@dataclass(frozen=True, slots=True)
class BucketUrl:
    """The address of the objects of a path."""

    kind: str
    """``s3``, ``gs`` or ``az``."""
    scheme: str
    authority: str
    """The bucket or container, and the account after an ``@``."""
    key: str
    """The path within it."""

    @property
    def root(self) -> str:
        """The common prefix of the names of all its objects."""
        return f"{self.scheme}://{self.authority}/"

    @property
    def bucket(self) -> str:
        """The bucket or container."""
        return self.authority.partition("@")[0]


def is_remote(path: str) -> bool:
    """Return whether a path is in a store of objects, or at least not on this machine."""
    return "://" in path


def bucket_url(path: str, shown: str) -> BucketUrl:
    """Split a path.

    Args:
        path: a path with ``://``.
        shown: the path with its variables, for messages.

    Raises:
        MeasurementError: the path names an unsupported store.
    """
    match = _URL.fullmatch(path)
    kind = _EXTRAS.get(match[1].lower()) if match else None
    if match is None or kind is None:
        raise invalid(
            f"{shown} is neither a path of this machine nor in a store that is read: s3://, gs://,"
            " az:// and abfss:// are; fetch the logs first"
        )
    url = BucketUrl(kind, match[1], match[2], match[3] or "")
    account = url.authority.partition("@")[2]
    if ":" in url.authority or (account and kind != "az"):
        raise invalid(
            "the path of the logs has a login or a port in it; leave them out: credentials are"
            " found as the cloud's own tools find them, and AWS_ENDPOINT_URL names another server"
        )
    if not url.bucket or not url.key:
        raise invalid(
            f"{shown} names no objects; write for example s3://bucket/logs/dt=*/*.parquet"
        )
    return url


def missing_extra(path: str) -> str | None:
    """Return the extra that must be installed to read a path; None: no extra is missing."""
    match = _URL.fullmatch(path)
    kind = _EXTRAS.get(match[1].lower()) if match else None
    complete = kind is None or all(map(_is_installed, _PACKAGES[kind]))
    return None if complete else kind


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def open_store(url: BucketUrl, timeout: timedelta) -> Any:
    """Return obstore's client of the store, with credentials; it sends no other request.

    Args:
        url: the address of the bucket.
        timeout: the time limit of each request and of its repetitions.

    Raises:
        MeasurementError: no credentials were found.
    """
    stores = import_module("obstore.store")
    options = {
        "client_options": {
            "timeout": timeout,
            "read_timeout": min(timeout, _READ_TIMEOUT),
            "connect_timeout": min(timeout, _READ_TIMEOUT),
            "allow_http": (_endpoint(url.kind) or "").startswith("http://"),
        },
        "retry_config": {"max_retries": 4, "retry_timeout": timeout},
    }
    if url.kind == "s3":
        return stores.S3Store(url.bucket, **options, **_s3())
    if url.kind == "gs":
        return stores.GCSStore(url.bucket, **options, **_gs())
    return stores.AzureStore(url.bucket, **options, **_az(url))


_ENDPOINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "gs": ("STORAGE_EMULATOR_HOST", "GOOGLE_BASE_URL"),
    "az": ("AZURE_STORAGE_ENDPOINT",),
}


def _endpoint(kind: str) -> str | None:
    """Return the address of the store, if it is not the cloud's own."""
    return next((os.environ[name] for name in _ENDPOINTS[kind] if os.environ.get(name)), None)


def _set(*names: str) -> bool:
    return any(os.environ.get(name) for name in names)


def _s3() -> dict[str, Any]:
    if _set("AWS_SKIP_SIGNATURE"):  # obstore's own option for public buckets
        return {}
    session = import_module("botocore.session").get_session()
    errors = import_module("botocore.exceptions")

    def provide() -> Credentials:
        frozen = credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _AGAIN,
        }

    try:
        credentials = session.get_credentials()
        if credentials is None:
            raise unreadable(f"there are no credentials for S3{hint_for('store-login')}")
        provide()
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    except errors.BotoCoreError as error:
        raise _no_login("AWS", error) from None
    endpoint = _endpoint("s3")
    return {
        "credential_provider": provide,
        **({"region": region} if region else {}),
        **({"endpoint": endpoint} if endpoint else {}),
    }


def _gs() -> dict[str, Any]:
    endpoint = _endpoint("gs")
    place = {"base_url": endpoint} if endpoint else {}
    if _set("GOOGLE_SKIP_SIGNATURE"):
        return place
    auth = import_module("google.auth")
    transport = import_module("google.auth.transport.requests")

    def provide() -> Credentials:
        if not credentials.valid:
            credentials.refresh(transport.Request())
        return {"token": credentials.token, "expires_at": datetime.now(UTC) + timedelta(minutes=3)}

    try:
        credentials, _ = auth.default(scopes=[_SCOPES["gs"]])
        provide()
    except (auth.exceptions.GoogleAuthError, OSError, ValueError) as error:
        raise _no_login("Google", error) from None
    return {**place, "credential_provider": provide}


def _az(url: BucketUrl) -> dict[str, Any]:
    account = url.authority.partition("@")[2].partition(".")[0]
    account = account or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME", "")
    given = {"account_name": account}
    if not account:
        raise invalid(
            f"{url.scheme}:// does not say in which storage account the container {url.bucket} is;"
            " set AZURE_STORAGE_ACCOUNT_NAME, or write"
            " abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/"
        )
    keys = ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_SKIP_SIGNATURE")
    if _set(*keys):  # obstore reads these by itself
        return given
    identity = import_module("azure.identity")
    errors = import_module("azure.core.exceptions")
    credential = identity.DefaultAzureCredential()

    def provide() -> Credentials:
        token = credential.get_token(_SCOPES["az"])
        return {"token": token.token, "expires_at": datetime.fromtimestamp(token.expires_on, UTC)}

    try:
        provide()
    except errors.ClientAuthenticationError as error:
        raise _no_login("Azure", error) from None
    return {**given, "credential_provider": provide}


def _no_login(cloud: str, error: Exception) -> MeasurementError:
    # Their messages may repeat text of a server or of a file.
    name = type(error).__name__
    return unreadable(f"{cloud} gives no credentials ({name}){hint_for('store-login')}")
