"""Tasks in plain English."""

from __future__ import annotations

from farlands.worlds.voxel.tasks.predicates import DAY, Kind
from farlands.worlds.voxel.tasks.tree import Leaf, Node, Task

_UNCOUNTED = {
    "dirt", "cobblestone", "stone", "sand", "gravel", "clay", "snow", "planks", "obsidian", "glass", "wool", "coal",
    "charcoal", "flint", "shears", "iron_ore", "gold_ore", "diamond_ore", "coal_ore", "leaves", "oak_leaves",
    "spruce_leaves", "cactus", "water", "lava", "bedrock", "grass", "tall_grass", "ice", "leggings", "boots",
    "health", "food", "air", "armour", "beef", "cooked_beef", "mutton", "cooked_mutton", "cooked_chicken", "leather",
    "bone_meal", "bread", "flint_and_steel", "gunpowder", "rotten_flesh", "string", "tnt", "wheat", "wheat_seeds",
    "sheep",
}  # fmt: skip
_SINGLE = {"planks": "plank", "wheat_seeds": "wheat_seed"}
_BLOCK_KINDS = (Kind.BLOCK, Kind.BREAKABLE)


def sentence(task: Task) -> str:
    """One English sentence that says what to do."""
    text = _phrase(task)
    return text[0].upper() + text[1:] + "."


def _phrase(task: Task) -> str:
    return _leaf_phrase(task) if isinstance(task, Leaf) else _node_phrase(task)


def _node_phrase(node: Node) -> str:
    if node.name == "not":
        return f"do not {_inner(node.children[0])}"
    if node.name == "within":
        return f"within {node.number:,} steps {_inner(node.children[0])}"
    parts = [_inner(child) for child in node.children]
    if node.name == "sequence":
        return "first " + ", then ".join(parts)
    if node.name == "any":
        return "either " + " or ".join(parts)
    if node.name == "count":
        return f"at least {node.number} of these at once: " + "; ".join(parts)
    return ("both " if len(parts) == 2 else "all at once ") + _list(parts)


def _inner(task: Task) -> str:
    """A part of a task, in brackets where its end would not be seen."""
    text = _phrase(task)
    return f"({text})" if isinstance(task, Node) and task.name not in ("not",) else text


def _list(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def _leaf_phrase(leaf: Leaf) -> str:
    row = leaf.predicate
    numbers = [value for value in leaf.arguments if isinstance(value, int)]
    if row.name == "time":
        return row.phrase.format(first=_clock(numbers[0]), n=_clock(numbers[1]))
    if row.name == "visit" and leaf.number == 1:
        return "set foot on a new patch of land"
    kind = row.arguments[0].kind if row.names_thing else Kind.NUMBER
    return row.phrase.format(
        thing=_one(leaf.thing, kind), things=_several(leaf.thing, leaf.number, kind), n=f"{leaf.number:,}"
    )


def _clock(ticks: int) -> str:
    """Ticks as hours and minutes; tick 0 is six in the morning."""
    minutes = (ticks * 24 * 60 // DAY + 6 * 60) % (24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _words(name: str) -> str:
    return "TNT" if name == "tnt" else name.replace("_", " ")


def _one(name: str, kind: Kind) -> str:
    if kind == Kind.ACHIEVEMENT:
        return f"'{_words(name)}'"
    if not name or name in _UNCOUNTED or name.endswith(("boots", "leggings")):
        return _words(name)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {_words(name)}"


def _several(name: str, count: int, kind: Kind) -> str:
    if kind in _BLOCK_KINDS:
        return f"{count:,} block{'s' if count > 1 else ''} of {_words(name)}"
    if count == 1:
        return _one(name, kind) if name not in _UNCOUNTED else f"1 {_words(_SINGLE.get(name, name))}"
    return (
        f"{count:,} {_words(name)}"
        if name in _UNCOUNTED or name.endswith(("boots", "leggings"))
        else _plural(count, name)
    )


def _plural(count: int, name: str) -> str:
    # Potatoes and the like would need more; torches, and the plain case, is all the table has.
    return f"{count:,} {_words(name)}{'es' if name.endswith('ch') else 's'}"
