"""The front end for checkpoints of the authors' release, in the release's semantics."""
