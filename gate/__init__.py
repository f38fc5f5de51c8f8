"""A deployment gate on error budgets for LLM services."""

__version__ = "0.1.0"
