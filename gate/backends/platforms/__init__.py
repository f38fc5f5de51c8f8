"""What the backends of SLO platforms share: what they are asked, and how they are reached.

A platform keeps SLOs with objectives and windows, and counts them itself. The gate asks it for
counts, or for the share that it has where it tells no counts, and judges by the policy.
"""
