"""The errors of a store of objects, in messages without any text of its answer."""

import re
from collections.abc import Callable
from typing import Final

from gate.backends.logs.refusals import unreadable
from gate.backends.logs.stores import BucketUrl
from gate.measure import MeasurementError
from gate.measure.remedies import hint_for

_CODE: Final = re.compile(r"<Code>\s*([A-Za-z]+)\s*</Code>")
_STATUS: Final = re.compile(r"status code: ([0-9]{3})")
_SAID: Final[tuple[tuple[Callable[[str, str], bool], str, str], ...]] = (
    (lambda code, _: code in {"NoSuchBucket", "ContainerNotFound"}, "does not exist", "no-bucket"),
    (
        lambda code, _: code in {"ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"},
        "says that the credentials have expired",
        "store-login",
    ),
    (
        lambda code, _: code in {"RequestTimeTooSkewed", "RequestExpired"},
        "says that this machine's clock is wrong",
        "store-clock",
    ),
    (
        lambda code, _: code in {"InvalidObjectState", "BlobArchived"},
        "has archived an object, which must be restored to be read",
        "archived-object",
    ),
    (
        lambda code, status: (
            code
            in {
                "PermanentRedirect",
                "TemporaryRedirect",
                "AuthorizationHeaderMalformed",
                "IllegalLocationConstraintException",
                "IncorrectEndpoint",
            }
            or status in {"301", "307", "redirect"}
        ),
        "is in another region",
        "store-region",
    ),
    (
        lambda code, status: (
            code
            in {
                "InvalidAccessKeyId",
                "SignatureDoesNotMatch",
                "InvalidToken",
                "AuthenticationFailed",
                "InvalidAuthenticationInfo",
            }
            or status == "401"
        ),
        "does not accept the credentials",
        "store-login",
    ),
    (
        lambda code, status: code == "AccessDenied" or status == "403",
        "denies access",
        "store-access",
    ),
)


def refused(error: Exception, action: str, url: BucketUrl) -> MeasurementError:
    """Return why a store refuses an action, without any text of the answer's body.

    Args:
        error: the error of obstore.
        action: the failed action, such as ``listing s3://bucket/logs/``.
        url: the address of the bucket.
    """
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    said = code[1] if code else ""
    number = "redirect" if "redirect without LOCATION" in text else status[1] if status else ""
    for fits, words, key in _SAID:
        if fits(said, number):
            where = f"{url.scheme}://{url.authority}"
            return unreadable(
                f"{action} failed: {where} {words}{_detail(said, number)}{hint_for(key)}"
            )
    if number or said:
        words = f"the store answers with an error{_detail(said, number)}"
    elif "kind: Timeout" in text:
        words = "the store does not answer in time"
    elif "kind: Connect" in text:
        words = "the store cannot be reached"
    else:
        words = f"its answer cannot be read ({type(error).__name__})"
    return unreadable(f"{action} failed: {words}{hint_for('store-failed')}")


def _detail(code: str, status: str) -> str:
    parts = [part for part in (code, status if status.isdigit() else "") if part]
    return f" ({' '.join(parts)})" if parts else ""
