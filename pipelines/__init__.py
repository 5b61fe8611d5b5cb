"""The stages of dvc.yaml: what runs, in which order, on which files."""
