"""S3VAE: one code for what a video looks like, one for how it moves, learnt without labels."""
