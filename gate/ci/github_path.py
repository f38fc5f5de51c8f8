"""Addresses of GitHub's API, made of parts that anybody may choose."""

from urllib.parse import quote

from gate.ci.rest import RestError


class GitHubError(RestError):
    """GitHub could not be asked or told; the text is one sentence, without the token."""


def github_path(*parts: str) -> str:
    """Return parts of an address; none of them can lead to another address.

    Raises:
        GitHubError: one of them would.
    """
    try:
        quoted = [quote(part, safe="") for part in parts]
    except UnicodeError:  # half a character, of a file's name that is no text
        quoted = [""]
    if not {"", ".", ".."}.isdisjoint(quoted):
        raise GitHubError(f"cannot ask GitHub about {'/'.join(parts)!r}: it is no plain name")
    return "/".join(quoted)
