"""Vectors and checkpoints that other programs have made, as runs that can be looked at like any other."""
