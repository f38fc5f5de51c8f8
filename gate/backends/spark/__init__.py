"""Counts from tables of a Spark cluster, over Spark Connect."""
