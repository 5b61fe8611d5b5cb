"""p(x_t | z_f, z_t): one decoder per file."""
