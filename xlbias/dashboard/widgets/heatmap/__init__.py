"""The colour heat map: a grid of cells with numbers, its order, its layout and how it is painted."""
