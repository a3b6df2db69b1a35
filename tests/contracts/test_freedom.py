from tests.contracts.suite import ModelContract


class TestFREEDOM(ModelContract):
    name = "freedom"
