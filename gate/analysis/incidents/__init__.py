"""``gate incidents``: when a budget burned too fast."""
