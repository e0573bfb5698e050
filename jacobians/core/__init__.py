"""What people hold: `Jacobian`, `term`, `Layer`, `Chain`, `Residual`."""
