"""The run file: written part by part, finished atomically, opened anywhere."""
