"""The front end for this project's own PyTorch networks."""
