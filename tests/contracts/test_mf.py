from tests.contracts.suite import ModelContract


class TestMatrixFactorization(ModelContract):
    name = "mf"
    propagates = False
