from typing import ClassVar

from tests.contracts.suite import ModelContract


class TestRedNnD(ModelContract):
    name = "rednnd"
    variants: ClassVar = [
        {"alignment_scope": "batch"},
        {"alignment_scope": "anchors"},
        {"alignment_scope": "full"},
        {"alignment_weight": 0.0},
    ]
