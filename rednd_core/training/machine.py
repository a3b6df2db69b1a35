"""The machine that trains a run, as far as last digits depend on it."""

from __future__ import annotations

import platform

import torch

from rednd_core.config import TrainingConfig
from rednd_core.graph.engine import resolve_device, resolve_engine
from rednd_core.reproducibility import processor
from rednd_core.runs.facts import MachineFacts


def machine_facts(training: TrainingConfig) -> MachineFacts:
    """This process's machine, with the device and the engine that ``training`` comes to on it."""
    device = resolve_device(training.device)
    on_gpu = device.type == "cuda"
    return MachineFacts(
        system=f"{platform.system()} {platform.machine()}",
        processor=processor(),
        device=torch.cuda.get_device_name(device) if on_gpu else device.type,
        engine=resolve_engine(training.engine, device),
        threads=torch.get_num_threads(),
    )
