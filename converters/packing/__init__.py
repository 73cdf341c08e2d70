"""From a front end's graph to a packed model: emission, the report and the self-check."""
