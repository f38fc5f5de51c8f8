"""Speed beside what users have today. Run by hand, never as tests: see README.md."""
