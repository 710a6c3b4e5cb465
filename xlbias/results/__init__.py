"""The numbers of a run: frames and typed rows, without words or formatting."""
