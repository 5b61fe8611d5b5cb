"""Drawn faces with exactly known landmarks."""
