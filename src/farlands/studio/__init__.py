"""The studio: one page to watch worlds, look into minds, play, and record."""
