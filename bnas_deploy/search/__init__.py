"""Searching a binary cell: supernet, objective, selection, loop. Training what was found is not."""
