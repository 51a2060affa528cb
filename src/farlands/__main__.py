"""``python -m farlands`` is ``farlands``."""

from farlands.cli import entry

if __name__ == "__main__":
    entry()
