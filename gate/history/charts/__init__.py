"""Statistical process control: whether an indicator behaves as it did, step by step. Pure."""
