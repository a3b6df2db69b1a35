from tests.contracts.suite import ModelContract


class TestLightCCF(ModelContract):
    name = "lightccf"
