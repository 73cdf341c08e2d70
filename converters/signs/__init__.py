"""What a value's levels are and which layers are binary, whichever format the model came in."""
