"""What happened to a budget: incidents, past periods, control charts, cohorts. Pure."""
