from __future__ import annotations

from rednd_core.plots.cohesion import cohesion_figure


def test_two_lines_with_their_sizes_and_gaps() -> None:
    names = ["layer 0", "layer 1"]
    figure = cohesion_figure(names, [0.2, None], [0.1, 0.4], n_selected=5, n_all=1600)
    selection, everyone = figure.data
    assert (selection.name, everyone.name) == ("selection (n = 5)", "all nodes (n = 1,600)")
    assert list(selection.x) == names
    assert list(selection.y) == [0.2, None]
    assert list(everyone.y) == [0.1, 0.4]
    assert figure.layout.yaxis.title.text == "mean cosine of pairs"
