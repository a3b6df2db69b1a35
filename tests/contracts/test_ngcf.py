from tests.contracts.suite import ModelContract


class TestNGCF(ModelContract):
    name = "ngcf"
