"""Lines and panes of text."""
