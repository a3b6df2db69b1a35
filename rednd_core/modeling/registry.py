"""The models by name, as cards that can be read without torch.

Whatever has to know something about a model asks its card: the command line, the app, the documents and the
tests. A new model costs one file in ``rednd_core/models`` and one card in :data:`CARDS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rednd_core.config import parse_settings
from rednd_core.errors import unknown_name

if TYPE_CHECKING:
    from rednd_core.modeling.base import Hyperparameters, Recommender
    from rednd_core.modeling.inputs import ModelInputs

Family = Literal["floor", "id graph", "contrastive", "multimodal", "remedy"]


@dataclass(frozen=True)
class ModelCard:
    """What there is to know about a model before its file is imported.

    Attributes:
        name: registry key, the ``name`` of the model's class.
        title: the name of the model in the app and in documents.
        module: the Python module with its class.
        paper: arXiv number or venue; empty where there is none.
        family: the kind of model, as lists name it: floor, id graph, contrastive, multimodal, or remedy (of
            over-smoothing).
        needs: what a data set has to bring beside its pairs, e.g. ``"features"``.
        live: losses whose weight may be moved while the model trains, the most interesting one first.
            Their bounds are those of the setting that :func:`weight_setting` names.
        training: the model's own defaults of training settings, e.g. ``{"learning_rate": 1e-4}``.
    """

    name: str
    title: str
    module: str
    paper: str
    family: Family
    needs: frozenset[str] = frozenset()
    live: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)


def _by_name(*cards: ModelCard) -> dict[str, ModelCard]:
    return {card.name: card for card in cards}


REMEDY_LOSSES = ("plugin_alignment", "decorrelation")
"""The losses of the remedies, which every model with propagation has; their weights are settings."""
BPR_LOSSES = ("plugin_alignment", "regularization", "decorrelation")
"""Of a model with propagation that has no loss of its own beside BPR: the one to steer comes first."""

CARDS: dict[str, ModelCard] = _by_name(
    ModelCard(
        name="bm3",
        title="BM3",
        module="rednd_core.models.bm3",
        paper="arXiv 2207.05969",
        family="multimodal",
        needs=frozenset({"features"}),
        live=("modality", "regularization", *REMEDY_LOSSES),
    ),
    ModelCard(
        name="freedom",
        title="FREEDOM",
        module="rednd_core.models.freedom",
        paper="arXiv 2211.06924",
        family="multimodal",
        needs=frozenset({"features"}),
        live=("features", "regularization", *REMEDY_LOSSES),
    ),
    ModelCard(
        name="gcn",
        title="GCN",
        module="rednd_core.models.gcn",
        paper="arXiv 1609.02907",
        family="id graph",
        live=BPR_LOSSES,
    ),
    ModelCard(
        name="lattice",
        title="LATTICE",
        module="rednd_core.models.lattice",
        paper="arXiv 2104.09036",
        family="multimodal",
        needs=frozenset({"features"}),
        live=BPR_LOSSES,
    ),
    ModelCard(
        name="layergcn",
        title="LayerGCN",
        module="rednd_core.models.layergcn",
        paper="arXiv 2207.11088",
        family="remedy",
        live=BPR_LOSSES,
    ),
    ModelCard(
        name="lightgcn",
        title="LightGCN",
        module="rednd_core.models.lightgcn",
        paper="arXiv 2002.02126",
        family="id graph",
        live=BPR_LOSSES,
    ),
    ModelCard(
        name="mf",
        title="MF-BPR",
        module="rednd_core.models.mf",
        paper="arXiv 1205.2618",
        family="floor",
        live=("regularization",),
    ),
    ModelCard(
        name="ngcf",
        title="NGCF",
        module="rednd_core.models.ngcf",
        paper="arXiv 1905.08108",
        family="id graph",
        live=BPR_LOSSES,
    ),
    ModelCard(
        name="popularity",
        title="Popularity",
        module="rednd_core.models.popularity",
        paper="",
        family="floor",
    ),
    ModelCard(
        name="rednnd",
        title="RedNⁿD",
        module="rednd_core.models.rednnd",
        paper="arXiv 2412.18962",
        family="multimodal",
        needs=frozenset({"features"}),
        live=("alignment", "regularization", "decorrelation"),
        training={"learning_rate": 1e-4},
    ),
    ModelCard(
        name="sgc",
        title="SGC",
        module="rednd_core.models.sgc",
        paper="arXiv 1902.07153",
        family="id graph",
        live=BPR_LOSSES,
    ),
    ModelCard(
        name="sgl",
        title="SGL",
        module="rednd_core.models.sgl",
        paper="arXiv 2010.10783",
        family="contrastive",
        live=("contrast", "regularization", *REMEDY_LOSSES),
    ),
    ModelCard(
        name="simgcl",
        title="SimGCL",
        module="rednd_core.models.simgcl",
        paper="arXiv 2112.08679",
        family="contrastive",
        live=("contrast", "regularization", *REMEDY_LOSSES),
    ),
    ModelCard(
        name="lightccf",
        title="LightCCF",
        module="rednd_core.models.lightccf",
        paper="arXiv 2504.10113",
        family="contrastive",
        live=("neighbourhood", "regularization", *REMEDY_LOSSES),
    ),
    ModelCard(
        name="vbpr",
        title="VBPR",
        module="rednd_core.models.vbpr",
        paper="arXiv 1510.01784",
        family="multimodal",
        needs=frozenset({"features"}),
        live=("regularization",),
    ),
)
"""All models that can be trained, in the order in which they are listed."""
SUBJECT = "rednnd"
"""The model that this project is about: a form opens with it where the data set has what it needs."""


IMPORTED = "imported"
"""The model of a run whose vectors another program has trained: it has no card, as it cannot be trained."""


def model_names() -> list[str]:
    """The names of all models, in the order of their cards."""
    return list(CARDS)


def card(name: str) -> ModelCard:
    """The card of a model.

    Raises:
        ConfigError: no such model; lists the valid names.
    """
    if name not in CARDS:
        raise unknown_name("model", name, CARDS)
    return CARDS[name]


def model_title(name: str) -> str:
    """The title of a model; of one that has no card, e.g. in a run from a newer version, its name."""
    if name == IMPORTED:
        return "Imported vectors"
    return CARDS[name].title if name in CARDS else name


def weight_setting(loss: str) -> str:
    """The setting with the weight of a loss: ``"alignment"`` -> ``"alignment_weight"``."""
    return "reg_weight" if loss == "regularization" else f"{loss}_weight"


def model_class(name: str) -> type[Recommender]:
    """The class of a model; imports torch.

    Raises:
        ConfigError: no such model; lists the valid names.
    """
    module = importlib.import_module(card(name).module)
    for found in vars(module).values():
        if isinstance(found, type) and vars(found).get("name") == name:
            return found
    raise LookupError(f"no class with name = {name!r} in {module.__name__}")


def hyperparameters(name: str, values: dict[str, Any]) -> Hyperparameters:
    """Validate settings with the model's own class; unknown or impossible ones raise ConfigError."""
    cls = model_class(name)
    return parse_settings(cls.settings_class, values, f"hyper-parameter of {name}")


def create_model(name: str, values: dict[str, Any], inputs: ModelInputs) -> Recommender:
    """Build a model from validated settings and move it to the inputs' device."""
    settings = hyperparameters(name, values)
    return model_class(name)(inputs, settings).to(inputs.device)
