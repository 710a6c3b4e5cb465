"""Exact ranks by counting, and the top k for browsing."""
