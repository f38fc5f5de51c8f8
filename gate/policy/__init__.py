"""The policy of a team: which changes may ship at which budget, and its judgement now. Pure."""
