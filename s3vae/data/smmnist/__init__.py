"""Stochastic moving MNIST, and the handwritten digits it is drawn from."""
