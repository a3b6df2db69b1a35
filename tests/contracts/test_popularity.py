from tests.contracts.suite import ModelContract


class TestPopularity(ModelContract):
    name = "popularity"
    propagates = False
    is_trained = False
