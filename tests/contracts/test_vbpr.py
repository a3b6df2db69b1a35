from tests.contracts.suite import ModelContract


class TestVBPR(ModelContract):
    name = "vbpr"
    propagates = False
