"""RedNⁿD and baseline graph recommenders, with the measures that make over-smoothing visible.

Importing this package imports neither torch, dgl nor umap: the parts that need them do so when used.
"""

__version__ = "0.1.0"
