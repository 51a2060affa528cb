"""The flagship: an endless first-person survival and crafting world. See ``world.VoxelWorld``."""
