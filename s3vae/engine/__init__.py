"""The loop that trains a model or a judge: batches, optimizers, schedule, checkpoints."""
