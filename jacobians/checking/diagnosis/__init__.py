"""What is wrong with a Jacobian that is wrong."""
