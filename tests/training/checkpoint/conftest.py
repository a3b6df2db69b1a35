"""Failed assertions of the shared module show their values, as those of the tests do."""

import pytest

pytest.register_assert_rewrite("tests.training.checkpoint.saving")
