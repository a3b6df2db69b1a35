from tests.contracts.suite import ModelContract


class TestBM3(ModelContract):
    name = "bm3"
    follows_its_rule = False
