"""The parts that all backends of SLO platforms share: the contract and the connection.

A platform keeps SLOs with objectives and windows, and counts them itself. The gate requests counts,
or the share if the platform reports no counts, and judges by the policy.
"""
