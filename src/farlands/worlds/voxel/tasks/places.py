"""Where tasks are set: which rules hold and which land there is, with parts of both held out for testing.

A batch of worlds has one set of rules. The splits ``rules`` and ``biome`` therefore do not part the tasks but say in
what they are set:

- ``rules``: one alteration in five, by the hash of its seed, is held out. The standard rules are for training.
- ``biome``: snow and mountains are held out.
"""

from __future__ import annotations

from farlands.errors import closest
from farlands.worlds.voxel.alterations import MOST_SEED, check_seed
from farlands.worlds.voxel.options import BIOMES, VoxelOptions
from farlands.worlds.voxel.tasks.program import structure_hash
from farlands.worlds.voxel.tasks.splits import Part, Split, parse_split

RULES_ONE_IN = 5
PART_BIOMES: dict[str, tuple[str, ...]] = {
    "train": ("ocean", "plains", "forest", "desert"),
    "test": ("snow", "mountains"),
}
"""Land for training, and the land that is held out."""


def rules_part(seed: int) -> Part:
    """Which part an alteration is of; see ``alterations.alter``.

    Raises:
        ValueError: There is no such alteration.
    """
    check_seed(seed)
    return "test" if seed and structure_hash(f"rules {seed}") % RULES_ONE_IN == 0 else "train"


def rules_seeds(part: Part, count: int) -> tuple[int, ...]:
    """The first ``count`` alterations of a part, the standard rules not among them."""
    found: list[int] = []
    for seed in range(1, MOST_SEED):
        if len(found) == count:
            break
        if rules_part(seed) == part:
            found.append(seed)
    return tuple(found)


def rules_seed(options: VoxelOptions) -> int:
    """The alteration that holds in a world: the one asked for, or else the first of the part that its split asks for.

    Raises:
        ValueError: It is of the other part, or there is no such one.
    """
    split = _split_of(options)
    seed = options.altered_rules
    check_seed(seed)
    if split is None or split.rule != "rules":
        return seed
    if not seed:
        return 0 if split.part == "train" else rules_seeds("test", 1)[0]
    if rules_part(seed) != split.part:
        known = ", ".join(map(str, rules_seeds(split.part, 4)))
        raise ValueError(f"altered_rules {seed} is not of split {split}; of it are {known}, ...")
    return seed


def land_biomes(options: VoxelOptions) -> tuple[str, ...]:
    """The biomes that a world's land is of: those asked for, or else those of the part that its split asks for.

    Raises:
        ValueError: There is no such biome, one is of the other part, or there would be nothing but sea.
    """
    for name in options.biomes:
        if name not in BIOMES:
            raise ValueError(f"biomes: no biome named {name!r}; {closest(name, BIOMES)}")
    if set(options.biomes) == {"ocean"}:
        raise ValueError("biomes: ocean alone has no land to stand on; name another one too")
    split = _split_of(options)
    if split is None or split.rule != "biome":
        return options.biomes or BIOMES
    allowed = PART_BIOMES[split.part]
    for name in options.biomes:
        if name not in allowed:
            raise ValueError(f"biomes: {name} is not of split {split}; of it are {', '.join(allowed)}")
    return options.biomes or allowed


def _split_of(options: VoxelOptions) -> Split | None:
    return parse_split(options.task_split) if options.task == "tasks" else None
