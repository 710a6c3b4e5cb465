"""What the table of benchmarks measures: a module for each question, with a function `rows(tiny)`.

`tiny` asks for a size that takes seconds, so that tests can run it.
"""
