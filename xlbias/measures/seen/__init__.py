"""Measures of leaks: how much of a task an encoder has seen before it is evaluated on it."""
