"""What the terminal can show: themes, ASCII, numbers of few cells, pictures, signals."""
