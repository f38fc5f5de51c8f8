"""The troubles between the gate and a Spark cluster, and their remedies.

These are the rows of `gate.measure.remedies.REMEDIES` for Spark Connect.
"""

from typing import Final

from gate.measure.troubles import Rows

SPARK: Final[Rows] = (
    (
        "spark-plain",
        "The TLS handshake with Spark fails",
        "The server speaks no TLS, or the client certificate that it asks for is missing.",
        "if the server speaks no TLS, remove use_ssl=true from backend.url; if it asks for a client"
        " certificate, set backend.tls.cert and backend.tls.key",
    ),
    (
        "spark-server",
        "Not a Spark Connect server",
        "Something else answers at this address: a web page, Spark's cluster manager (port 7077) or"
        " its Thrift server (port 10000).",
        "check the port in backend.url: Spark Connect usually has 15002; its server must be started"
        " beside the cluster",
    ),
    (
        "spark-hung-up",
        "The connection to Spark was closed",
        "The server, or a proxy before it, closed the connection before the answer was whole. A"
        " server that speaks TLS only also does so.",
        "run the check again; if nothing is ever answered, try use_ssl=true in backend.url",
    ),
    (
        "spark-login",
        "Spark does not accept the login",
        "The token is missing or wrong, or has expired.",
        "set backend.token, or renew the token",
    ),
    (
        "spark-rights",
        "Spark refuses the right to read",
        "The login is valid, and may not read this table or use this cluster.",
        "grant the login of backend.token the right to read the table (SELECT), its schema and its"
        " catalog (USE)",
    ),
    (
        "spark-overloaded",
        "Spark is starting, at its limits or down",
        "The cluster is starting, its driver is busy, or a proxy before it finds no server.",
        "check the state of the cluster, and run the check again",
    ),
    (
        "spark-table",
        "Spark has no such table",
        "The catalog has no table or view of this name, or there is no file at this path.",
        "correct backend.table: write its schema and catalog (catalog.schema.table), or the path of"
        " its files (parquet.`/data/requests`)",
    ),
    (
        "spark-session",
        "Spark's session has ended",
        "The server was started anew, or closed the session, while the run was waiting.",
        "run the check again; if it happens again, look into the driver's log",
    ),
    (
        "spark-cancelled",
        "The query was cancelled on the cluster",
        "Somebody, or a limit of the cluster, has ended the query.",
        "run the check again, or choose a shorter window if a limit of the cluster ended it",
    ),
    (
        "spark-file",
        "Spark cannot read a file of the table",
        "A file is damaged or was removed while it was read.",
        "repair the table, or run the check again if its files were being rewritten",
    ),
    (
        "spark-statement",
        "Spark refuses the statement",
        "A column does not exist, a function is unknown, or types do not go together.",
        "correct the expression or the column in the policy; paste it into spark-sql to try it",
    ),
    (
        "spark-value",
        "Spark cannot compute an expression for a value",
        "In some row a text is not a number, a number is too large, or a divisor is zero. In"
        " Spark's ANSI mode, which the gate needs, that is an error and not NULL.",
        "write try_cast, try_divide or nullif in the expression, or correct the rows",
    ),
    (
        "spark-lost",
        "A part of the cluster was lost",
        "An executor has died or had too little memory, or the driver was stopped, and the query"
        " ended with it.",
        "run the check again; if it happens again, give the executors more memory",
    ),
    (
        "spark-failed",
        "The query failed on the cluster",
        "The cluster says only that it failed; the driver's log has more.",
        "look into the driver's log for this query",
    ),
    (
        "spark-setting",
        "Spark has a setting that changes the counts",
        "The cluster fixes a setting which decides what a statement means or which rows it reads.",
        "let the cluster take this setting from the session, or give the gate a cluster where it is"
        " as needed (docs/backends.md lists the settings)",
    ),
    (
        "spark-slow",
        "Spark gave no answer in time",
        "The cluster needs longer than the run has: it is starting, busy, or reads too many rows.",
        "allow it more time, choose a shorter window, or add a condition on the table's partitions"
        " with backend.where",
    ),
)
"""A Spark cluster that cannot be queried, or does not answer."""
