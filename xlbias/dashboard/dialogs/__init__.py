"""Small windows over a screen: a list to choose from, a line to type, what to copy and to export."""
