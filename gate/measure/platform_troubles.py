"""What can go wrong between the gate and an SLO platform, and what to do then.

The rows of `gate.measure.remedies.REMEDIES` for platforms, where those for every connection speak
of a Prometheus server. Each platform has words of its own for its logins and rights.
"""

from typing import Final

from gate.measure.troubles import Rows

PLATFORMS: Final[Rows] = (
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
