"""Requests in a table of a PostgreSQL server, counted by the server in one scan."""
