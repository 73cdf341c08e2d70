"""Front end: a function or class in a user's own code, and a checkpoint for it."""
