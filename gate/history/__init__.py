"""The past of a budget: incidents, past periods, control charts, cohorts. No input or output."""
