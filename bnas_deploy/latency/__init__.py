"""How long a network takes: a table of measured steps, and predictions from it."""
