"""Runs, models and results in MLflow."""
