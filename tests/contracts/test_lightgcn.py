from tests.contracts.suite import ModelContract


class TestLightGCN(ModelContract):
    name = "lightgcn"
