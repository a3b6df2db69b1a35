"""Layouts of data that people have: recognised without a flag, read as columns.

``source`` opens folders, files and archives; ``form`` finds how a text is written; ``text``, ``binary``,
``json_lines`` and ``lists`` read a family of files each; ``roles`` and ``headerless`` say which column is
what; ``recognise`` picks the interactions and ``side`` the tables beside them; ``columns`` checks cells.
"""
