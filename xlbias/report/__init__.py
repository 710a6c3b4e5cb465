"""The questions asked of a run, and their renderings."""
