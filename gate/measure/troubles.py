"""The troubles between the gate and a server, a log or a code host, and their remedies.

These are the rows of `gate.measure.remedies.REMEDIES` without a `Cause`.
"""

from typing import Final

Rows = tuple[tuple[str, str, str, str], ...]
"""Rows of key, title, meaning and hint, as in `gate.measure.remedies.Remedy`."""

CONNECTION: Final[Rows] = (
    (
        "connection-refused",
        "Connection refused",
        "Nothing listens at this host and port.",
        "check the host and port of backend.url, and that the server is running",
    ),
    (
        "unknown-host",
        "The host name cannot be resolved",
        "DNS does not know the host, or this machine is not in the network that does.",
        "check the host name in backend.url, and that this machine can resolve it",
    ),
    (
        "no-connection",
        "No connection in time",
        "Packets to the host are dropped: a firewall, a wrong address, or a VPN that is down.",
        "check the host and port of backend.url, and that a firewall or VPN lets this machine"
        " connect",
    ),
    (
        "proxy",
        "The proxy cannot be reached",
        "HTTP_PROXY or HTTPS_PROXY names a proxy that does not answer.",
        "correct HTTP_PROXY or HTTPS_PROXY, or add the host to NO_PROXY",
    ),
    (
        "plain-http",
        "https to a server that speaks http",
        "The TLS handshake was answered with something that is not TLS.",
        "the server seems to speak plain http: write http:// in backend.url, or use the https port",
    ),
    (
        "https-needed",
        "http to a server that speaks https",
        "The server closed the connection, or says that it was sent plain http on its https port.",
        "the server may speak https only: try https:// in backend.url",
    ),
    (
        "untrusted-certificate",
        "The certificate is not trusted",
        "The certificate is self-signed, or signed by an authority that this machine does not"
        " know.",
        "set backend.tls.ca to the PEM file of the authority that signed it",
    ),
    (
        "expired-certificate",
        "The certificate has expired",
        "The server's certificate is past its end date, or this machine's clock is wrong.",
        "renew the server's certificate; check this machine's clock",
    ),
    (
        "wrong-host-name",
        "The certificate is for another host",
        "The host name in the address is not one that the certificate names.",
        "write a host name in backend.url that the certificate names",
    ),
    (
        "client-certificate",
        "The server asks for a client certificate",
        "The server ends the TLS handshake because no certificate, or a wrong one, was sent.",
        "if the server asks for a client certificate, set backend.tls.cert and backend.tls.key",
    ),
    (
        "tls-version",
        "The server offers no usable TLS version",
        "The server speaks only TLS versions or ciphers that are no longer secure.",
        "let the server offer TLS 1.2 or newer",
    ),
    (
        "certificate-file",
        "A certificate file cannot be read",
        "A file of backend.tls is missing, unreadable, or not in PEM format.",
        "check the files of backend.tls: each must be readable and in PEM format",
    ),
    (
        "unauthorized",
        "401 Unauthorized",
        "The server wants a login, or does not accept the one that was sent.",
        "set backend.auth (bearer, or username and password), or renew the token",
    ),
    (
        "forbidden",
        "403 Forbidden",
        "The login is known and may not query, or a proxy before the server refuses.",
        "give the login of backend.auth the right to query, or set backend.auth; for a tenant set"
        " backend.headers",
    ),
    (
        "wrong-path",
        "404 Not Found",
        "There is no Prometheus API at this path of the server.",
        "set backend.url to the part before /api/v1; some servers need a prefix, such as"
        " /prometheus (Mimir) or /select/0/prometheus (VictoriaMetrics cluster)",
    ),
    (
        "wrong-server",
        "Not a Prometheus API",
        "Something else answers at this address: an exporter's port, Grafana, a web application.",
        "this is not the API of a Prometheus server: check the port in backend.url (Prometheus"
        " usually has 9090; exporters have others)",
    ),
    (
        "login-page",
        "A login page answers",
        "A proxy for single sign-on sends everybody to a page for people.",
        "set backend.auth to a token that the proxy accepts, or use an address behind the proxy",
    ),
    (
        "too-slow",
        "No answer in time",
        "The query took longer than the server or this run allows.",
        "allow it more time, choose a shorter window, or record the counts by rules (gate export)",
    ),
    (
        "too-large",
        "The query is too large for the server",
        "The server limits how many samples, series or bytes one query may read.",
        "raise the server's limit, or record the counts by rules (gate export)",
    ),
    (
        "overloaded",
        "The server is overloaded or down",
        "The server, or a proxy before it, answers 429, 502, 503 or 504.",
        "check the server's health and try again; lower backend.parallel where it limits requests",
    ),
    (
        "query-refused",
        "The server refuses the query",
        "The server cannot parse or evaluate the expression; its own words say where.",
        "correct the expression in the policy; paste it into the server's own page to try it",
    ),
    (
        "unsendable-header",
        "A header cannot be sent",
        "A token, password or header has a character that HTTP does not allow, often a line break.",
        "remove line breaks and special characters from the token, password or header",
    ),
    (
        "wrong-address",
        "The address is not http or https",
        "The address has another form than http://host:port.",
        "write backend.url in the form http://prometheus:9090 or https://prometheus",
    ),
)
"""Rows by `gate.request_failure.Trouble`: a Prometheus server that cannot be queried."""
LOGS: Final[Rows] = (
    (
        "no-log-files",
        "No file matches",
        "No file matches backend.path, which starts from the policy file's folder.",
        "check backend.path: it starts from the policy file's folder, and ** also looks in folders"
        " below",
    ),
    (
        "empty-logs",
        "All log files are empty",
        "Files match and none of them has a row.",
        "check that the service writes its log there, and that the newest files were fetched",
    ),
    (
        "log-permission",
        "Permission denied",
        "The user that runs gate may not read a log file.",
        "give the user that runs gate the right to read the file",
    ),
    (
        "log-format",
        "The format is unknown or mixed",
        "The file names do not end in .jsonl, .csv or .parquet (or these with .gz or .zst), or"
        " several formats match.",
        "set backend.format to jsonl, csv or parquet, and let backend.path match one format only",
    ),
    (
        "damaged-log",
        "A file is cut off or damaged",
        "A compressed or Parquet file ends too early, or a line is not valid JSON or CSV.",
        "fetch the file again, or take it out of backend.path while it is still being written",
    ),
    (
        "no-such-column",
        "The logs have no such column",
        "The indicator or the backend names a column that no file has.",
        "correct the column's name, or list it under backend.optional where old files lack it",
    ),
)
"""Request logs that cannot be read."""
HOSTS: Final[Rows] = (
    (
        "no-host-token",
        "No token for GitHub or GitLab",
        "Reading pull requests, teams and approvals needs a token, and none was given.",
        "set GITHUB_TOKEN (GitHub) or GITLAB_TOKEN (GitLab) in the job",
    ),
    (
        "host-token-refused",
        "GitHub or GitLab does not accept the token",
        "The token is wrong, has expired or was revoked.",
        "create a new token and put it into the job's secret",
    ),
    (
        "host-token-scope",
        "The token may not do this",
        "The token lacks a permission. For what a token cannot see, GitHub and GitLab also answer"
        " 404.",
        "give the token the permission that the message names; docs/github.md and docs/gitlab.md"
        " list them all",
    ),
    (
        "host-limit",
        "GitHub or GitLab limits requests",
        "The token, or the address of the runner without one, has used up its requests for now.",
        "run the job again later; a token of its own has a limit of its own",
    ),
    (
        "host-not-found",
        "The repository, project or pull request was not found",
        "The name is wrong, or the token may not see it: both are answered with 404.",
        "check the name of the repository, and that the token may read it",
    ),
)
"""Troubles with GitHub and GitLab."""
