"""Who asks a store: credentials that each cloud's own library finds, and none of the policy."""

import json
import os
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gate.backends import open_backend
from gate.errors import UsageError
from gate.measure import Cause, Limits
from gate.measure.remedies import hint_for
from tests.backends.logs.stored import HOURS, Stored, content, rows_of, stored
from tests.backends.logs.written import DAY, ask, counts, refused, settings
from tests.servers.loopback import serving
from tests.servers.stores import ObjectServer


@pytest.fixture
def store(s3_server: ObjectServer, tmp_path: Path) -> Iterator[Stored]:
    with stored(s3_server, tmp_path) as made:
        made.put("logs/a.csv", rows_of(1))
        yield made


def asking(store: Stored) -> set[str]:
    """Return what each request logged in with, as far as the first blank or slash."""
    return {text.split("/")[0] for text in store.front.logins}


@pytest.mark.slow
def test_the_environment_says_who_asks(store: Stored) -> None:
    assert counts(store.ask("logs/*.csv", window=3 * DAY)) == (HOURS, 1)
    assert asking(store) == {"AWS4-HMAC-SHA256 Credential=key-of-test"}


@pytest.mark.slow
def test_a_profile_says_who_asks_and_where(store: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name)
    folder = store.folder / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        "[profile logs]\nregion = eu-central-1\n"
        "aws_access_key_id = key-of-profile\naws_secret_access_key = secret\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "logs")

    assert counts(store.ask("logs/*.csv", window=3 * DAY)) == (HOURS, 1)
    assert asking(store) == {"AWS4-HMAC-SHA256 Credential=key-of-profile"}
    assert all("/eu-central-1/s3/" in text for text in store.front.logins)


@pytest.mark.slow
def test_the_role_of_a_job_asks(store: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """As aws-actions/configure-aws-credentials and EKS do it: a token for a role."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (token := store.folder / "token").write_text("token-of-the-job")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader")

    assert counts(store.ask("logs/*.csv", window=3 * DAY)) == (HOURS, 1)
    assert "POST /" in store.front.seen
    (login,) = asking(store)
    assert login.startswith("AWS4-HMAC-SHA256 Credential=ASIA")


def test_nobody_asks(store: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    reason = refused(store.ask("logs/*.csv"), Cause.BACKEND_ERROR)

    assert reason == f"there are no credentials for S3{hint_for('store-login')}"


def test_a_bucket_of_everybody_needs_no_credentials(
    store: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    store.front.public = True

    assert counts(store.ask("logs/*.csv", window=3 * DAY)) == (HOURS, 1)
    assert store.front.logins == []


def test_a_profile_that_is_not_there_is_reported(
    store: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "another")

    reason = refused(store.ask("logs/*.csv"), Cause.BACKEND_ERROR)

    assert reason == f"AWS gives no credentials (ProfileNotFound){hint_for('store-login')}"


def google(store: Stored, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a path of Google Cloud Storage, as which the server stands in."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", store.front.url)
    return f"gs://{store.bucket.name}/logs/*.csv"


def test_an_account_of_google_asks(store: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    path = google(store, monkeypatch)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (account := store.folder / "account.json").write_text(
        json.dumps(
            {
                "type": "service_account",
                "client_email": "reader@project.iam.gserviceaccount.com",
                "token_uri": f"{store.front.url}/token",
                "private_key": key.private_bytes(
                    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
                ).decode(),
            }
        )
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
    answer = b'{"access_token": "token-of-google", "expires_in": 3600, "token_type": "Bearer"}'
    store.front.instead = lambda _, asked, __: (
        (200, {"Content-Type": "application/json"}, answer) if asked == "/token" else None
    )

    assert counts(ask(store.folder, path=path, window=3 * DAY)) == (HOURS, 1)
    assert asking(store) == {"Bearer token-of-google"}


def test_google_knows_nobody(store: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    path = google(store, monkeypatch)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(store.folder / "not-there.json"))

    reason = refused(ask(store.folder, path=path), Cause.BACKEND_ERROR)

    assert reason == (
        f"Google gives no credentials (DefaultCredentialsError){hint_for('store-login')}"
    )


def test_everybody_may_read_a_bucket_of_google(
    store: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = google(store, monkeypatch)
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    store.front.public = True

    assert counts(ask(store.folder, path=path, window=3 * DAY)) == (HOURS, 1)
    assert store.front.logins == []


class Azure:
    """Lists and reads blobs as Azure's REST interface does, of one page.

    https://learn.microsoft.com/rest/api/storageservices/list-blobs
    """

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self.blobs = blobs
        self.logins: list[str] = []

    def serve(
        self, handler: BaseHTTPRequestHandler, _body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        path, _, query = handler.path.partition("?")
        if path == "/identity":
            answer = {"access_token": "token-of-azure", "expires_on": "4102444800"}
            return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
        self.logins.append(handler.headers["Authorization"])
        if "comp=list" in query:
            return 200, {"Content-Type": "application/xml"}, self._listing().encode()
        text = self.blobs[path.removeprefix("/logs-container/")]
        first, last = handler.headers["Range"].removeprefix("bytes=").split("-")
        headers = {
            "ETag": '"0x8DTAG"',
            "Last-Modified": "Sun, 29 Nov 2026 19:00:00 GMT",
            "Content-Range": f"bytes {first}-{last}/{len(text)}",
        }
        return 206, headers, text[int(first) : int(last) + 1]

    def _listing(self) -> str:
        blobs = "".join(
            f"<Blob><Name>{name}</Name><Properties><Last-Modified>Sun, 29 Nov 2026 19:00:00 GMT"
            f"</Last-Modified><Etag>0x8DTAG</Etag><Content-Length>{len(text)}</Content-Length>"
            "<Content-Type>text/csv</Content-Type>"
            "<BlobType>BlockBlob</BlobType></Properties></Blob>"
            for name, text in self.blobs.items()
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults>'
            f"<Blobs>{blobs}</Blobs><NextMarker /></EnumerationResults>"
        )


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    for name in list(os.environ):
        if name.startswith("AZURE_"):
            monkeypatch.delenv(name)
    fake = Azure({"logs/a.csv": content(tmp_path, "a.csv", rows_of(1))})
    with serving(fake.serve) as url:
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", url)
        # What App Service and Container Apps say of the identity of a machine.
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/identity")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-of-the-machine")
        yield fake


CONTAINER = "abfss://logs-container@account.dfs.core.windows.net/logs/*.csv"


def test_the_identity_of_a_machine_asks_azure(azure: Azure, tmp_path: Path) -> None:
    assert counts(ask(tmp_path, path=CONTAINER, window=3 * DAY)) == (HOURS, 1)
    assert set(azure.logins) == {"Bearer token-of-azure"}


def test_a_key_of_the_account_asks_azure(
    azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")

    answer = ask(tmp_path, path="az://logs-container/logs/*.csv", window=3 * DAY)

    assert counts(answer) == (HOURS, 1)
    assert {text.split(":")[0] for text in azure.logins} == {"SharedKey account"}


def test_azure_must_know_the_account(azure: Azure, tmp_path: Path) -> None:
    reason = refused(ask(tmp_path, path="az://logs-container/logs/*.csv"))

    assert reason == (
        "az:// does not say in which storage account the container logs-container is; set"
        " AZURE_STORAGE_ACCOUNT_NAME, or write abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/"
    )
    assert azure.logins == []


def test_azure_knows_nobody(azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The only identity that is looked for.
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")

    reason = refused(ask(tmp_path, path=CONTAINER), Cause.BACKEND_ERROR)

    assert reason.startswith("Azure gives no credentials (")
    assert reason.endswith(hint_for("store-login"))
    assert azure.logins == []


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("s3://key:secret@bucket/logs/*", "the path of the logs has a login or a port in it"),
        ("s3://user@bucket/logs/*", "the path of the logs has a login or a port in it"),
        ("s3://bucket", "s3://bucket names no objects"),
        ("gs:///logs/*", "gs:///logs/* names no objects"),
    ],
)
def test_a_path_names_a_bucket_and_objects_only(tmp_path: Path, path: str, words: str) -> None:
    reason = refused(ask(tmp_path, path=path))

    assert reason.startswith(words)
    assert "secret" not in reason


@pytest.mark.parametrize(
    ("path", "extra"), [("s3://b/a", "s3"), ("gcs://b/a", "gs"), ("az://b/a", "az")]
)
def test_packages_that_are_not_installed_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, extra: str
) -> None:
    monkeypatch.setattr("gate.backends.logs.stores.version", _nothing_but("fsspec"))

    with pytest.raises(UsageError) as caught:
        open_backend(settings(tmp_path, path=path), Limits(timeout=DAY))

    assert str(caught.value) == (
        f"reading {extra}:// needs more packages; where gate is installed: "
        f"pip install 'error-budget-gate[{extra}]'"
    )


def _nothing_but(package: str) -> object:
    def version(name: str) -> str:
        if name == package:
            return "1"
        raise PackageNotFoundError(name)

    return version
