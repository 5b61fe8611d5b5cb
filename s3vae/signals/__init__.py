"""Self-supervision: what can be read off a video without labels."""
