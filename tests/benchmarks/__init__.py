"""Side by side with PyTorch, JAX and autograd: ``python -m tests.benchmarks``."""
