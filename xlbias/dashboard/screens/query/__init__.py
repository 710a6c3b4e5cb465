"""One query: where its passages rank, and why."""
