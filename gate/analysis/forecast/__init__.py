"""``gate forecast``: when a budget runs out or comes back."""
