"""What a team decided: which changes may ship at which budget, and what that says now. Pure."""
