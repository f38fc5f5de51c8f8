"""``gate cohorts``: whose events burn a budget."""
