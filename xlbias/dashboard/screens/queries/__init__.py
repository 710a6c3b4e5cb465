"""The list of queries that a filter leaves."""
