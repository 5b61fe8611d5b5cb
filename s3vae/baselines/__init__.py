"""Published methods that are not sequential VAEs, one folder each."""
