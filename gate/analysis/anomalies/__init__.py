"""``gate anomalies``: control charts of every indicator."""
