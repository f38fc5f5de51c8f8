"""The decision: one versioned document from which every report is rendered. Pure."""
