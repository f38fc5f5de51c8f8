"""The troubles between the gate and a ClickHouse server, and their remedies.

These are the rows of `gate.measure.remedies.REMEDIES` for it, in addition to those for every
connection.
"""

from typing import Final

from gate.measure.troubles import Rows

CLICKHOUSE: Final[Rows] = (
    (
        "clickhouse-login",
        "ClickHouse does not accept the login",
        "The user does not exist, the password is wrong or missing, or this user may not log in"
        " from here (codes 516, 192, 193 and 194).",
        "check backend.user and backend.password, and from which networks this user may log in",
    ),
    (
        "clickhouse-rights",
        "ClickHouse does not let the user read the table",
        "The user lacks SELECT on the table, on a column, or on a table behind a view (code 497).",
        "let this user read it: GRANT SELECT ON database.table TO user, for a view also on the"
        " tables behind it",
    ),
    (
        "clickhouse-readonly",
        "ClickHouse does not let the user change settings",
        "The user's profile says readonly=1, or has constraints. So the gate cannot request"
        " complete answers, and the profile does not ensure them.",
        "set readonly=2 in this user's profile, which allows settings but no changes of data, or"
        " set the required values there",
    ),
    (
        "clickhouse-filters",
        "The user's profile leaves rows out",
        "The profile sets a filter (additional_table_filters, additional_result_filter), or cuts"
        " every answer, so that not all rows are counted.",
        "use a user without such settings, and write the filter as backend.where in the policy",
    ),
    (
        "clickhouse-table",
        "ClickHouse has no such table or database",
        "The table or its database is spelt differently, is in another database, or this user may"
        " not see it (codes 60 and 81).",
        "correct backend.table and backend.database; SHOW TABLES lists what this user may see",
    ),
    (
        "clickhouse-column",
        "ClickHouse has no such column",
        "An expression of the policy, or the backend, names a column that the table does not have"
        " (code 47). Upper and lower case are different columns.",
        "correct the column's name; DESCRIBE TABLE lists the columns, in upper and lower case",
    ),
    (
        "clickhouse-expression",
        "ClickHouse refuses an expression",
        "A function, an operator or a type in an expression of the policy does not fit (codes 43,"
        " 46, 53, 62, 386 and others).",
        "correct the expression in the policy; try it with clickhouse-client as a column of a"
        " SELECT",
    ),
    (
        "clickhouse-value",
        "A row has a value that an expression does not take",
        "A text is not a number, a value is too large, or a whole number is divided by zero. The"
        " message does not repeat the value.",
        "let the expression take every row: toInt64OrNull, nullIf, intDivOrZero and the like",
    ),
    (
        "clickhouse-timeout",
        "ClickHouse did not finish in time",
        "Reading the window takes longer than this run, or the user's max_execution_time, allows"
        " (codes 159 and 160). The statement was stopped.",
        "allow it more time, choose a shorter window, or give the table a primary key that begins"
        " with the time",
    ),
    (
        "clickhouse-memory",
        "ClickHouse has not enough memory",
        "The statement needs more memory than the server or the user's profile allows (code 241).",
        "raise max_memory_usage for this user, or choose a shorter window",
    ),
    (
        "clickhouse-limit",
        "A limit or quota of ClickHouse is reached",
        "The user's profile limits how much a statement may read or return, or a quota is used up"
        " (codes 158, 201, 307, 396 and others).",
        "raise the limit that the message names in this user's profile or quota, or allow the run"
        " to read more bytes",
    ),
    (
        "clickhouse-large",
        "The statement is too large for ClickHouse",
        "A policy with many SLOs and windows gives a long statement, which is over the server's"
        " max_query_size, max_ast_depth or max_ast_elements.",
        "raise max_query_size and max_ast_elements for this user, or split the policy",
    ),
    (
        "clickhouse-shards",
        "A shard or replica of ClickHouse does not answer",
        "The table is distributed, and the rows of the missing shard are not in the count (codes"
        " 279, 210, 369 and others).",
        "see in system.clusters and system.replicas which host is down or lags, and run the check"
        " again when it answers",
    ),
    (
        "clickhouse-busy",
        "ClickHouse is busy or down",
        "Too many statements run at once, a table has too many parts (codes 202 and 252), or a"
        " proxy before the server answers 429, 502, 503 or 504.",
        "run the check again later; raise max_concurrent_queries where many jobs ask at once",
    ),
    (
        "clickhouse-damaged",
        "ClickHouse cannot read its own data",
        "A part of the table is damaged or is not there (codes 40, 117, 246 and others).",
        "look into the log of the server and run CHECK TABLE, then run the gate again",
    ),
    (
        "clickhouse-half",
        "The answer of ClickHouse is not whole",
        "The answer ends early, is not in the requested form, or has fewer rows than it"
        " announces. Nothing of it is used.",
        "run the check again; if it fails again, see whether a proxy before the server cuts or"
        " changes answers",
    ),
    (
        "clickhouse-server",
        "Another program answers instead of ClickHouse",
        "Another program answers at this address, or it is the port for ClickHouse's own programs"
        " (9000, with TLS 9440).",
        "set backend.url to the HTTP interface of ClickHouse: port 8123, or 8443 with https",
    ),
    (
        "clickhouse-login-page",
        "A login page answers before ClickHouse",
        "A proxy for single sign-on sends everybody to a page for people.",
        "use an address behind the proxy, such as that of the service within the cluster",
    ),
    (
        "clickhouse-error",
        "ClickHouse reports another error",
        "The message has the code and the name of the error. Its text is not repeated, as it may"
        " show the content of a row.",
        "look for the text of the error in system.query_log or in the server's log",
    ),
    (
        "clickhouse-version",
        "ClickHouse is too old",
        "This version lacks settings without which an answer may be cut without a word.",
        "upgrade ClickHouse to 23.8 or later",
    ),
)
"""The entries for the errors in `gate.backends.clickhouse.refusals`."""
