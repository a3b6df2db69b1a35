from tests.contracts.suite import ModelContract


class TestSimGCL(ModelContract):
    name = "simgcl"
