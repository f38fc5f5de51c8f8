"""What all backends share that count rows with SQL: one statement, and sums of what it has left."""
