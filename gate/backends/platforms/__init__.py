"""The parts that all backends of SLO platforms share: the contract and the connection.

A platform keeps SLOs with objectives and windows, and counts them itself. The gate asks it for
counts, or for the share that it has where it reports no counts, and judges by the policy.
"""
