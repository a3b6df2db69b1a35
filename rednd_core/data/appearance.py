"""The order in which users and items appear in the rows of a data set: how many programs number them."""

from __future__ import annotations

from rednd_core.config import DataConfig
from rednd_core.data.ids import IdArray
from rednd_core.data.layouts.recognise import recognise
from rednd_core.data.layouts.source import open_source
from rednd_core.data.numbering import by_appearance
from rednd_core.data.parts import configured_rows


def ids_by_appearance(config: DataConfig) -> tuple[IdArray, IdArray]:
    """The original ids of users and of items, each in the order of their first row.

    Raises:
        DataError: no interactions, or unreadable ones.
    """
    source = open_source(config.path)
    recognised = recognise(source, config.layout, config.columns)
    rows = configured_rows(source, recognised, config, [])
    return by_appearance(rows.users)[1], by_appearance(rows.items)[1]
