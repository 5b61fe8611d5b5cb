"""The scores that stand first wherever models are compared: tables, curves, documents."""

HEADLINE = ("accuracy", "inception_score", "h_y_given_x", "h_y")
"""The paper's Table 1."""
SEPARATION = ("static_kept", "static_leak", "swap_dynamic", "swap_static")
"""What that table does not ask: whether each code holds its own factor alone."""
