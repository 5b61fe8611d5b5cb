"""The sequential VAE: posteriors, prior, decoder."""
