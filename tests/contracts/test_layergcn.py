from tests.contracts.suite import ModelContract


class TestLayerGCN(ModelContract):
    name = "layergcn"
