"""Commands beside the pipeline: health, speed, servers, fingerprints."""
