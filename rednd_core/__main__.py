"""``python -m rednd_core`` is the same program as ``rednd``."""

from rednd_core.cli import main

if __name__ == "__main__":
    main()
