"""Whether some events fail more often than others: tests, intervals, what a sample could show."""
