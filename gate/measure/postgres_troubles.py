"""The troubles between the gate and a PostgreSQL server, and their remedies.

These are rows of `gate.measure.remedies.REMEDIES`: for the connection, and for statements.
"""

from typing import Final

from gate.measure.troubles import Rows

POSTGRES: Final[Rows] = (
    (
        "database-login",
        "The database does not accept the login",
        "The user does not exist, the password is wrong or missing, or it has expired.",
        "check backend.user and the variable of backend.password",
    ),
    (
        "no-database",
        "There is no such database",
        "The last part of the address names a database that the server does not have.",
        "correct the name of the database at the end of backend.url",
    ),
    (
        "not-admitted",
        "The server admits no such connection",
        "The server's pg_hba.conf has no line for this user, database, address and encryption, or"
        " has one that rejects them; or the user may not log in.",
        "add a line to the server's pg_hba.conf, or connect as it asks (backend.sslmode, another"
        " user)",
    ),
    (
        "database-tls",
        "TLS with the database fails",
        "The server does not offer TLS, or its certificate is not trusted, has expired or is for"
        " another host.",
        "set backend.sslmode as the server offers it, and backend.sslrootcert to the PEM file of"
        " its authority",
    ),
    (
        "database-full",
        "The database has no connection, memory or disk left",
        "The server's limit on connections, memory or temporary files is reached.",
        "run the check again later, choose a shorter window, or raise the server's limit",
    ),
    (
        "database-starting",
        "The database is starting, stopping or in recovery",
        "The server answers and takes no statements at the moment.",
        "run the check again when the server is ready",
    ),
    (
        "connection-lost",
        "The connection to the database was lost",
        "The server, a pooler or something on the way ended the connection in mid-answer. What came"
        " before is not used.",
        "run the check again; if it fails again, look into the log of the server",
    ),
    (
        "not-postgres",
        "Something else answers there",
        "The server at this address is not PostgreSQL, or has another version of its protocol.",
        "check the host and port of backend.url: PostgreSQL usually has port 5432",
    ),
    (
        "database-address",
        "The address of the database cannot be read",
        "The address has another form than postgresql://user@host:port/database; often a character"
        " of the user or the password is not percent-encoded.",
        "write backend.url in the form postgresql://user@host:5432/database",
    ),
    (
        "server-log",
        "The database reports an error of its own",
        "The server has failed at something that is not the policy's fault.",
        "look into the log of the server at this time, and run the check again",
    ),
    (
        "old-database",
        "The database is too old",
        "The version of the server is older than the oldest that gate supports.",
        "upgrade the server; docs/backends.md names the oldest version",
    ),
    (
        "unknown-table",
        "The database has no such table",
        "There is no table or view of this name in the schemas that the user searches.",
        "correct backend.table: write the schema before it (schema.table), and capitals as the"
        " table has them",
    ),
    (
        "unknown-database-column",
        "The table has no such column",
        "The indicator or the backend names a column that the table does not have.",
        'correct the name of the column; write one with capitals in double quotes: "startTime"',
    ),
    (
        "no-right",
        "The user may not read the table",
        "The user has no SELECT right on the table, on one of the columns, or no USAGE of the"
        " schema.",
        "grant the user SELECT on the table, and USAGE on its schema",
    ),
    (
        "shadowed-name",
        "The database has a function or operator of its own with PostgreSQL's name",
        "PostgreSQL takes the function or operator whose arguments fit best, wherever in the"
        " search path it is. One that somebody has made, such as public.lower(varchar), is then"
        " called in place of PostgreSQL's, and decides what the gate counts.",
        "remove it, or take its schema out of the search_path of this user (ALTER ROLE ... SET)",
    ),
    (
        "row-security",
        "Row-level security hides rows from the user",
        "A policy of the table decides which rows this user sees. A count over a part of the rows"
        " would look like a count of all.",
        "let the user see all rows of the table (BYPASSRLS, or a view of the table's owner)",
    ),
    (
        "expression-type",
        "An expression does not fit the types of its columns",
        "A function or operator does not exist for the types that it is given.",
        "correct the expression, or cast the column: CAST(status AS integer)",
    ),
    (
        "unfit-value",
        "A value does not fit the expression",
        "For some row the expression fails: it divides by zero, or casts a text that is not a"
        " number.",
        "guard the expression: NULLIF(divisor, 0), or CASE WHEN status ~ '^[0-9]+$' THEN"
        " CAST(status AS integer) END",
    ),
    (
        "slow-statement",
        "The statement takes too long",
        "Counting took longer than the run, or the server, allows.",
        "allow more time, choose a shorter window, or create an index on the column of the time"
        " (BRIN is enough where rows arrive in order)",
    ),
    (
        "locked-table",
        "Another session locks the table",
        "A migration, VACUUM FULL or the like holds a lock that excludes readers.",
        "run the check again when the other session has ended",
    ),
    (
        "replica-conflict",
        "The replica cancelled the statement",
        "A replica cancels statements that keep it from replaying changes of its primary.",
        "run the check again, ask the primary, or raise max_standby_streaming_delay on the replica",
    ),
    (
        "pinned-setting",
        "The server does not take a setting that a count needs",
        "A setting of the user, the database or a pooler changes which rows are read, and was not"
        " overridden.",
        "remove the setting from the user, the database or the pooler (ALTER ROLE ... RESET)",
    ),
)
"""A database that cannot be queried, or does not answer."""
