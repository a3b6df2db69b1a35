"""A problem on a page: one sentence, shown as it stands."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from app.shared.text import escape_markdown


def test_a_sentence_brings_no_markup_into_the_page() -> None:
    def script() -> None:
        from app.shared.errors import explained
        from rednd_core.errors import DataError

        @explained
        def page() -> None:
            raise DataError(
                expected="a column", found="[here](http://x) ![x](http://x/y.png)", remedy="go"
            )

        page()

    app = AppTest.from_function(script).run()
    assert not app.exception
    (error,) = app.error
    sentence = "Expected a column, but found [here](http://x) ![x](http://x/y.png); go."
    assert error.value == escape_markdown(sentence) != sentence


def test_a_full_disk_is_a_sentence_on_the_page() -> None:
    def script() -> None:
        import errno

        from app.shared.errors import explained

        @explained
        def page() -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "/a/b")

        page()

    app = AppTest.from_function(script).run()
    assert not app.exception
    (error,) = app.error
    assert "found a full disk" in error.value
