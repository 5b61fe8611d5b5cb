"""Trained models at work on videos: the command `s3vae` and the library behind it."""
