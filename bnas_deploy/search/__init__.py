"""The search for a binary cell: supernet, objective, selection and loop."""
