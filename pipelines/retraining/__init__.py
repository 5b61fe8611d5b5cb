"""The scheduled flow: rebuild what changed, promote what is better."""
