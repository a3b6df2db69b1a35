from typing import ClassVar

from tests.contracts.suite import ModelContract


class TestRedNnD(ModelContract):
    name = "rednnd"
    follows_its_rule = True  # up to the weights of users and a term of the item graph
    variants: ClassVar = [
        {"alignment_scope": "batch"},
        {"alignment_scope": "anchors"},
        {"alignment_scope": "full"},
        {"alignment_weight": 0.0},
    ]
