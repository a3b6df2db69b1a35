from tests.contracts.suite import ModelContract


class TestSGC(ModelContract):
    name = "sgc"
