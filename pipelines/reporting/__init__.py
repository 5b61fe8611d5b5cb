"""Tables and documents from the metrics files."""
