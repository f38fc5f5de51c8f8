"""Services of AWS: signatures, keys and hosts, as botocore makes, finds and names them."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote

import botocore.session
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from gate.backends.aws_login import AwsAccess, aws_access, aws_fields, aws_secrets, suffixes_of
from gate.backends.aws_signing import AwsSigner
from gate.backends.logins import SigV4Login
from gate.parsing.files import Folder, Imports
from gate.parsing.objects import Object
from gate.parsing.reader import Reader, UnreadableError, compose
from gate.request_failure import LoginError
from tests.servers.loopback import serving

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
LOGIN = SigV4Login(
    region="eu-central-1", service="application-signals", access_key=KEY, secret_key=SECRET
)
ARN = "arn:aws:application-signals:eu-central-1:123456789012:slo/Chat availability (EU)"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave this machine without any key of AWS."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def signed(login: SigV4Login, method: str, path: str, **more: Any) -> requests.PreparedRequest:
    url = f"https://application-signals.eu-central-1.api.aws{path}"
    return requests.Request(method, url, auth=AwsSigner(login), **more).prepare()


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", "/budget-report", {"json": {"Timestamp": 1795897440, "SloIds": [ARN, "größer"]}}),
        ("GET", f"/slo/{quote(ARN, safe='')}", {}),
        ("GET", "/slo/a%20name%20with%20blanks/exclusion-windows", {"params": {"MaxResults": 10}}),
        ("POST", "/slos", {"params": {"NextToken": "a+b/c==", "MaxResults": "50"}, "json": {}}),
    ],
)
@pytest.mark.parametrize("session", [None, "IQoJb3JpZ2luX2VjEXAMPLE//=="])
def test_botocore_signs_the_same_request_alike(
    method: str, path: str, more: Mapping[str, Any], session: str | None
) -> None:
    login = SigV4Login(
        region="eu-central-1",
        service="application-signals",
        access_key=KEY,
        secret_key=SECRET,
        session_token=session,
    )
    ours = signed(login, method, path, **more)
    header = ours.headers["Authorization"]
    names = header.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    theirs = AWSRequest(
        method,
        ours.url,
        {name: ours.headers[name] for name in names if name != "host"},
        ours.body,
    )
    theirs.context["timestamp"] = ours.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY, SECRET, session), login.service, login.region)
    canonical = signer.canonical_request(theirs)
    signature = signer.signature(signer.string_to_sign(theirs, canonical), theirs)

    assert header.endswith(f"Signature={signature}")
    assert ours.headers.get("x-amz-security-token") == session
    assert ours.headers["x-amz-content-sha256"] == hashlib.sha256(_bytes(ours.body)).hexdigest()


def _bytes(body: bytes | str | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


def test_the_policys_own_keys_go_before_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-others")
    request = signed(LOGIN, "GET", "/slo/a")

    assert f"Credential={KEY}/" in request.headers["Authorization"]
    assert "x-amz-security-token" not in request.headers


FOUND = SigV4Login(region="eu-central-1", service="application-signals")


def test_a_profile_is_used_where_botocore_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text(
        f"[release]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
        "aws_session_token = of-the-profile\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "release")
    signer = AwsSigner(FOUND)
    request = requests.Request("GET", "https://a/", auth=signer).prepare()

    assert f"Credential={KEY}/" in request.headers["Authorization"]
    assert request.headers["x-amz-security-token"] == "of-the-profile"
    assert set(signer.secrets) == {SECRET, "of-the-profile", KEY}


def test_the_role_of_a_container_is_asked_again_before_its_keys_expire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[str] = []

    def role(_: BaseHTTPRequestHandler, __: bytes) -> tuple[int, Mapping[str, str], bytes]:
        given.append(f"AKIAROLE{len(given)}")
        keys = {
            "AccessKeyId": given[-1],
            "SecretAccessKey": f"secret of {given[-1]}",
            "Token": f"token of {given[-1]}",
            # The first are about to end: botocore gets new ones ten minutes before.
            "Expiration": f"{datetime.now(UTC) + timedelta(minutes=5 + 60 * len(given)):%FT%TZ}",
        }
        keys |= {"Expiration": f"{datetime.now(UTC):%FT%TZ}"} if len(given) == 1 else {}
        return 200, {"Content-Type": "application/json"}, json.dumps(keys).encode()

    with serving(role) as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/role")
        signer = AwsSigner(FOUND)
        requests.Request("GET", "https://a/", auth=signer).prepare()
        request = requests.Request("GET", "https://a/", auth=signer).prepare()

    assert f"Credential={given[-1]}/" in request.headers["Authorization"]
    assert len(given) == 2
    assert f"token of {given[-1]}" in signer.secrets


def test_without_any_key_it_says_what_to_set() -> None:
    with pytest.raises(LoginError, match=r"set AWS_ACCESS_KEY_ID .*or AWS_PROFILE, or give the"):
        AwsSigner(FOUND)


def test_without_botocore_it_says_what_profiles_and_roles_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(LoginError, match="for profiles and roles: pip install botocore"):
        AwsSigner(FOUND)


def _refused() -> None:
    answer: Any = {"Error": {"Code": "ExpiredTokenException", "Message": f"secret {SECRET}"}}
    raise ClientError(answer, "AssumeRoleWithWebIdentity")


@pytest.mark.parametrize("fails", ["profile", "web identity"])
def test_what_botocore_cannot_get_is_reported_without_its_own_words(
    fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", f"not-there-{SECRET}")
    if fails == "web identity":

        class Session:
            get_credentials: Callable[[], None] = staticmethod(_refused)

        monkeypatch.setattr(botocore.session, "get_session", Session)
    with pytest.raises(LoginError) as caught:
        AwsSigner(FOUND)
    kind = "ProfileNotFound" if fails == "profile" else "ClientError: ExpiredTokenException"

    assert f"AWS gives no keys ({kind}); run `aws sts get-caller-identity`" in str(caught.value)
    assert SECRET not in str(caught.value)


# The block, and hosts


def regions() -> Iterator[str]:
    session = botocore.session.get_session()
    for partition in session.get_available_partitions():
        yield from session.get_available_regions("cloudwatch", partition)


def test_every_region_has_the_suffixes_of_botocores_partitions() -> None:
    partitions = botocore.session.get_session().get_component("data_loader").load_data("partitions")
    seen = 0
    for partition in partitions["partitions"]:
        outputs = partition["outputs"]
        for region in partition["regions"]:
            if not region.endswith("-global"):
                seen += 1
                want = (outputs["dnsSuffix"], outputs["dualStackDnsSuffix"])
                assert suffixes_of(region) == want, region
    assert seen > 40


def host(region: str, fips: bool) -> str:
    return f"thing{'-fips' * fips}.{region}.{suffixes_of(region)[1]}"


def read(text: str) -> AwsAccess | list[str]:
    """Return what a block says, or what is wrong with it."""
    environ = {"V": "https://ada:pw@h/p", "K": "k3y"}
    reader = Reader(file="gate.yaml", environ=environ, imports=Imports(tree=Folder(Path())))
    fields = aws_fields("vpce-1.example", "/slos")
    block = Object(fields, lambda v, r: aws_access(v, r, "thing", host))
    with suppress(UnreadableError):
        access = block.read(compose(text, reader), reader)
    return [mistake.message for mistake in reader.mistakes] or access


def sound(text: str) -> AwsAccess:
    access = read(text)
    assert isinstance(access, AwsAccess)
    return access


def test_every_region_of_botocore_is_taken() -> None:
    for region in regions():
        access = sound(f"{{region: {region}, fips: true}}")

        assert access.login == SigV4Login(region=region, service="thing")
        assert access.url == f"https://{host(region, True)}"
        assert access.shown == host(region, True)
        assert aws_secrets(access) == ()


def test_an_address_from_a_variable_is_named_by_its_variable_and_kept_secret() -> None:
    text = '{region: eu-west-1, url: "${V}", access_key: "${K}", secret_key: "${K}"}'
    access = sound(text)

    assert (access.shown, access.url) == ("${V}", "https://ada:pw@h/p")
    assert aws_secrets(access) == ("k3y", "k3y", "https://ada:pw@h/p", "pw")
    assert "pw" not in repr(access)


def test_an_address_of_the_policy_is_named_by_its_host() -> None:
    access = sound("{region: eu-west-1, url: 'http://proxy:8080/aws'}")

    assert (access.shown, access.url) == ("proxy:8080", "http://proxy:8080/aws")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{region: Frankfurt}", "this is not a region of AWS; write it as in eu-central-1"),
        ("{region: 'a.evil.example/?-1'}", "this is not a region of AWS"),
        ("{region: eu-west-1, fips: true, url: 'http://a'}", "fips chooses AWS's own address"),
        ("{region: eu-west-1, access_key: '${K}'}", "must be given together"),
        ("{region: eu-west-1, session_token: '${K}'}", "a session_token needs its keys"),
        ("{}", "the key 'region' is missing"),
    ],
)
def test_a_mistake_in_the_block_is_said(text: str, message: str) -> None:
    mistakes = read(text)

    assert isinstance(mistakes, list)
    assert message in mistakes[0]
