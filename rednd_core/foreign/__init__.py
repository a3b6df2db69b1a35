"""Vectors and checkpoints that other programs have made, as runs that can be looked at like any other."""

from rednd_core.foreign.imported import How, import_vectors

__all__ = ["How", "import_vectors"]
