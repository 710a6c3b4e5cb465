"""What each screen shows of a run: pure functions without widgets."""
