"""Packed networks behind HTTP: the Open Inference Protocol, pictures, limits, reloading."""
