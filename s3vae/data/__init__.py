"""Videos: where they come from, and the one file format they are kept in."""
