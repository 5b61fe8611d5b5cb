"""Data sets, and the file format in which their clips are stored."""
