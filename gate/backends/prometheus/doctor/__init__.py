"""Whether what a Prometheus server counts can be trusted: each check a small module.

All SLOs' questions go in the same batches as counts do, in three rounds at most: the server's
series, the checks, and the explanations of missing series.
"""
