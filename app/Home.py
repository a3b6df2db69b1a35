"""Entry point: ``streamlit run app/Home.py``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # Streamlit puts only this file's folder on the path
    sys.path.insert(0, str(ROOT))

from app.navigation import run  # noqa: E402 - needs the path above

run()
