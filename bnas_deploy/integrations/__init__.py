"""A packed network inside other people's engines: a file for each engine, imported by its name."""
