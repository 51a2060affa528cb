"""First-person pictures of the voxel world: procedural textures and a batched ray caster."""
