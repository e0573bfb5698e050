"""Hand-written backward and forward passes."""
