"""Answers on any number of pictures, into a file that is whole, or is gone on with."""
