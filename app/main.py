"""The script that the server of ``Home.py`` runs for every visitor."""

from app.navigation import run

run()
