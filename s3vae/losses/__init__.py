"""One pure function per term of the objective."""
