"""The contract with backends: what is asked of them, and what they answer. Pure."""
