"""Minimizing the objective: the loop, its schedule, its checkpoints."""
