"""The virtual table: rows of a frame, painted as they are seen."""
