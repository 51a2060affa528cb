"""Light: how bright each cell of a window is, from the sky and from what glows. Follows from the blocks alone."""
