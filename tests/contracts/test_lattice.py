from tests.contracts.suite import ModelContract


class TestLATTICE(ModelContract):
    name = "lattice"
