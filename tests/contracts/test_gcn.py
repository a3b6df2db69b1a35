from tests.contracts.suite import ModelContract


class TestGCN(ModelContract):
    name = "gcn"
