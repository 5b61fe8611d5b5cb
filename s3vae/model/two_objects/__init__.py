"""A hand-built prior for two bright objects on black: a tracker, and networks on its tracks."""
