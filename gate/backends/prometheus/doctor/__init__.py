"""Whether what a Prometheus server counts can be trusted: each check a small module.

All SLOs' questions go in the same batches as counts do, in three rounds at most: what the server
has, the checks, and what explains why something is missing.
"""
