"""Readers: one module per format, each from files to a RetrievalTask."""
