from tests.contracts.suite import ModelContract


class TestSGL(ModelContract):
    name = "sgl"
