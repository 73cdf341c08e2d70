"""How each operator becomes nodes of the graph: a file per kind of operator."""
