"""Making land: climate and relief on a coarse lattice, columns filled from it, then veins and trees, then the start.

Everything is a pure function of the seed and the block coordinates, chunk by chunk of 16 x 16 columns, so that land
looks the same whichever window it is seen through.
"""
