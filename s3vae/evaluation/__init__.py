"""Judging a trained model: the judge, the protocol, the pictures."""
