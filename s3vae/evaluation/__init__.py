"""The evaluation of trained models: metrics, protocol, probes and pictures."""
