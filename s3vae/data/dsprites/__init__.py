"""Moving dSprites, drawn analytically with exactly known motion."""
