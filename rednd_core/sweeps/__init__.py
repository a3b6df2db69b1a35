"""Sweeps and studies: many ordinary runs, trained side by side, from one plan. See docs/sweeps.md.

Only ``sweeps.cluster`` and ``sweeps.local_workers`` import Dask.
"""
