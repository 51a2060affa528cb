"""The symbolic observation in words, for people and language agents, and actions back from words.

text = describe(observation_of_one_row, world.spec)
action = parse_action("jump_forward", world.spec)
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from farlands.worlds.voxel.blocks import BLOCKS, Block, Look, Shape
from farlands.worlds.voxel.creatures.columns import ENTITY_LABELS
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.world import Discrete, MultiDiscrete, WorldSpec

FACTORS = ("move", "jump", "camera", "hand", "choice")
"""Names of the factors of ``factored`` actions, in order."""

_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
_DIRECTIONS = {"Ahead": (1, 0), "Right": (0, 1), "Behind": (-1, 0), "Left": (0, -1)}
_FACES = ("", "top", "underside", "side")
_NOTABLE = (Look.ORE, Look.LOG, Look.CRAFTING_TABLE, Look.FURNACE, Look.FURNITURE, Look.FIXTURE, Look.LAVA, Look.WATER)
_PLAIN = ("air", "tall_grass")
_FIRST_KIND = ENTITY_LABELS.index(CREATURES[0].name)


def describe(observation: Mapping[str, Any], spec: WorldSpec, *, layers: bool = False) -> str:
    """One row's observation as lines of English; senses that were not asked for are left out.

    Args:
        observation: Arrays of one row by key, e.g. ``{k: v[row] for k, v in step.observation.items()}``; NumPy arrays
            or CPU tensors.
        spec: The world's spec.
        layers: Also spell out every cell of the block cube, layer by layer, so that nothing of it is lost.
    """
    seen = {name: np.asarray(value) for name, value in observation.items()}
    lines: list[str] = []
    for name, say in _PARTS.items():
        if name in seen:
            lines += say(seen, spec)
    if layers and "voxels" in seen:
        lines += _map_lines(seen["voxels"])
    if "action_mask" in seen:
        lines += _action_lines(seen["action_mask"], spec)
    return "\n".join(lines)


def possible_actions(mask: Any, spec: WorldSpec) -> dict[str, list[str]]:
    """Names of what the mask allows: under ``"action"``, or under each of ``FACTORS``.

    Args:
        mask: uint8 ``[actions]``, the observation ``action_mask`` of one row.
        spec: The world's spec.

    Raises:
        ValueError: The mask is not one row of this spec's actions.
    """
    mask = np.asarray(mask)
    size = spec.action.n if isinstance(spec.action, Discrete) else sum(spec.action.nvec)  # type: ignore[union-attr]
    if mask.shape != (size,):
        raise ValueError(f"action_mask has shape {mask.shape}, expected {(size,)}: one row")
    if isinstance(spec.action, Discrete):
        return {"action": [name for name, on in zip(spec.action.names, mask, strict=True) if on]}
    assert isinstance(spec.action, MultiDiscrete), spec.action
    parts = np.split(mask, np.cumsum(spec.action.nvec)[:-1])
    return {
        factor: [name for name, on in zip(names, part, strict=True) if on]
        for factor, names, part in zip(FACTORS, spec.action.names, parts, strict=True)
    }


def parse_action(text: str, spec: WorldSpec) -> int | tuple[int, ...]:
    """The action that a text names, whatever its case, with spaces or hyphens for underscores.

    ``flat`` actions are one name: ``"jump forward"``. ``factored`` ones are ``factor=name`` pairs apart by commas or
    semicolons, with choice 0 for factors left out: ``"move=forward, hand=attack"``; where only one factor knows a name
    its own name may be left out: ``"sprint, craft planks"``.

    Raises:
        ValueError: A name is unknown or fits several factors, in one line with the nearest name.
    """
    if isinstance(spec.action, Discrete):
        return _find(text, spec.action.names, "action")
    assert isinstance(spec.action, MultiDiscrete), spec.action
    names = dict(zip(FACTORS, spec.action.names, strict=True))
    chosen = dict.fromkeys(FACTORS, 0)
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;]", text))):
        factor, found, name = part.partition("=")
        factor = FACTORS[_find(factor, FACTORS, "factor")] if found else _factor_of(part, names)
        chosen[factor] = _find(name if found else part, names[factor], factor)
    return tuple(chosen.values())


def _normal(name: str) -> str:
    return re.sub(r"[\s\-_]+", "_", name.strip().strip(".'\"`").lower())


def _find(text: str, names: tuple[str, ...], what: str) -> int:
    wanted = _normal(text)
    if wanted in names:
        return names.index(wanted)
    close = difflib.get_close_matches(wanted, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"one of: {', '.join(names[:12])}{', ...' * (len(names) > 12)}"
    raise ValueError(f"no {what} named {text.strip()!r}; {hint}")


def _factor_of(name: str, names: Mapping[str, tuple[str, ...]]) -> str:
    known = [factor for factor in names if _normal(name) in names[factor]]
    if len(known) == 1:
        return known[0]
    if known:
        raise ValueError(f"{name!r} may be {' or '.join(f'{factor}={_normal(name)}' for factor in known)}: say which")
    everything = tuple(f"{factor}={one}" for factor in names for one in names[factor])
    close = difflib.get_close_matches(_normal(name), [one.partition("=")[2] for one in everything], n=1)
    raise ValueError(
        f"no choice named {name!r}; " + (f"did you mean {close[0]!r}?" if close else f"factors: {', '.join(FACTORS)}")
    )


def _place_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    _, _, _, pitch, ahead, right, height, time_sine, time_cosine = (int(v) for v in seen["compass"])
    heading = _heading(seen["compass"])
    wind = _WINDS[round(heading / 45) % 8]
    level = {0: "level"}.get(pitch, f"{abs(pitch) * 15 // 21} degrees {'up' if pitch > 0 else 'down'}")
    # Time 0 of the day is sunrise, which clocks call six.
    hour = (round(math.degrees(math.atan2(time_sine, time_cosine)) / 15) + 6) % 24
    night = hour < 6 or hour >= 19
    way = [_way(ahead, "ahead", "behind"), _way(right, "to the right", "to the left")]
    start = " and ".join(filter(None, way)) or "here"
    return [
        f"You face {wind} ({heading} degrees), looking {level}, at height {height}.",
        f"It is about {hour:02}:00, {'night' if night else 'day'}. Your start is {start}.",
    ]


def _position_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    east, north, height, *parts = (int(v) for v in seen["position"])
    x, y, z = (whole + part / 2048 for whole, part in zip((east, north, height), parts, strict=True))
    return [f"On the map you are {x:.2f} east and {y:.2f} north of where you started, {z:.2f} above bedrock."]


def _heading(compass: np.ndarray) -> int:
    """Degrees clockwise from north, a multiple of 15."""
    return round(math.degrees(math.atan2(int(compass[0]), int(compass[1]))) / 15) * 15 % 360


def _way(blocks: int, positive: str, negative: str) -> str:
    if blocks == 0:
        return ""
    far = "over " if abs(blocks) == 127 else ""
    return f"{far}{abs(blocks)} {'block' if abs(blocks) == 1 else 'blocks'} {positive if blocks > 0 else negative}"


def _vital_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    health, food, saturation, air, armour = (int(v) for v in seen["vitals"])
    return [f"Health {health}/20, food {food}/20 (saturation {saturation}), air {air}/20, armour {armour}/20."]


def _status_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    labels = spec.observation["status"].labels
    on = [label.replace("_", " ") for label, flag in zip(labels, seen["status"], strict=True) if flag]
    return [f"You are {', '.join(on)}." if on else "You are in the air."]


def _target_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    name = BLOCKS[int(seen["target_block"][0])].name
    if name == "air":
        return ["Nothing is in the crosshair."]
    if "target" not in seen:
        return [f"In the crosshair: {name}."]
    tenths, in_reach, stage, face = (int(v) for v in seen["target"])
    far = "over " if tenths == 255 else ""
    line = f"In the crosshair: {name}, {far}{tenths / 10:.1f} blocks away, {'in' if in_reach else 'out of'} reach"
    line += f", its {_FACES[face]}" if face else ""
    return [line + (f", broken {stage}/10." if stage else ".")]


def _entity_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    labels = spec.observation["entities"].labels
    told = []
    for row in seen["entities"]:
        facts = dict(zip(labels, (int(v) for v in row), strict=True))
        kinds = [name for name in labels[_FIRST_KIND:] if facts[name]]
        if kinds:
            # Quarters of a block.
            way = [_way(round(facts["ahead"] / 4), "ahead", "behind")]
            way += [_way(round(facts["right"] / 4), "to the right", "to the left")]
            told.append(f"{_entity(kinds[0], facts)} {' and '.join(filter(None, way)) or 'right here'}")
    return [f"You see {'; '.join(told)}."] if told else []


def _entity(kind: str, facts: Mapping[str, int]) -> str:
    """What is perceived, and how it is; of agents also what they hold."""
    if kind == "item":
        return f"{facts['health']} {ITEMS[facts['item']].name} on the ground"
    states = [state for state in ("hurt", "roused", "young") if facts[state]]
    how = f" ({', '.join(states)})" if states else ""
    holding = f" holding {ITEMS[facts['item']].name}" if kind == "agent" and facts["item"] else ""
    return f"{'an' if kind == 'agent' else 'a'} {kind}{how}{holding}"


def _equipment_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    array = spec.observation["equipment"]
    left = seen.get("durability", np.zeros(len(array.labels)))
    worn = []
    for label, item, share in zip(array.labels, seen["equipment"], left, strict=True):
        name = array.categories[int(item)] if item else ("nothing" if label == "hand" else "")
        if name:
            worn.append(f"{label} {name}" + (f" ({round(100 * int(share) / 255)}% left)" if share else ""))
    return [f"Equipped: {', '.join(worn)}."]


def _inventory_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    labels = spec.observation["inventory"].labels
    carried = [f"{int(count)} {name}" for name, count in zip(labels, seen["inventory"], strict=True) if count]
    return [f"You carry {', '.join(carried)}." if carried else "You carry nothing."]


def _cells(voxels: np.ndarray) -> Iterator[tuple[tuple[int, int, int], Block]]:
    """Every cell of the cube as (up, ahead, right) from the feet, and its block."""
    middle = [size // 2 for size in voxels.shape]
    for place, block in np.ndenumerate(voxels):
        up, ahead, right = (p - m for p, m in zip(place, middle, strict=True))
        yield (up, ahead, right), BLOCKS[int(block)]


def _surroundings_lines(seen: Mapping[str, np.ndarray], spec: WorldSpec) -> list[str]:
    cells = dict(_cells(seen["voxels"]))
    winds = dict.fromkeys(_DIRECTIONS, "")
    if "compass" in seen:
        # The cube is turned to the nearest quarter, which the heading misses by up to 45 degrees.
        quarter = (_heading(seen["compass"]) + 45) // 90
        winds = {name: f" ({_WINDS[2 * (quarter + k) % 8]})" for k, name in enumerate(_DIRECTIONS)}
    lines = [f"{name}{winds[name]}: {_path(cells, *step)}." for name, step in _DIRECTIONS.items()]
    under, over = cells.get((-1, 0, 0)), cells.get((2, 0, 0))
    if under:
        lines.append(f"Underfoot: {under.name}." + (f" Overhead: {over.name}." if over and over.name != "air" else ""))
    return lines + _notable_lines(cells)


def _path(cells: Mapping[tuple[int, int, int], Block], ahead: int, right: int) -> str:
    """What a walker meets in one direction, up to the edge of the cube."""
    free = 0
    while True:
        d = free + 1
        feet, head = (cells.get((up, ahead * d, right * d)) for up in (0, 1))
        if feet is None:
            return f"free for {free} {'block' if free == 1 else 'blocks'} and beyond" if free else "out of sight"
        obstacle = _obstacle(cells, feet, head, (ahead * d, right * d))
        if obstacle:
            return f"free for {free}, then {obstacle}" if free else obstacle
        free += 1


def _obstacle(cells: Mapping[tuple[int, int, int], Block], feet: Block, head: Block | None, at: tuple[int, int]) -> str:
    """What stops a walker at a column, empty for nothing."""
    head_solid = head is not None and head.shape == Shape.CUBE
    if feet.shape == Shape.CUBE:
        above = cells.get((2, *at))
        climbable = not head_solid and (above is None or above.shape != Shape.CUBE)
        return f"a step up ({feet.name})" if climbable else f"a wall of {feet.name}"
    if head_solid and head is not None:
        return f"{head.name} at head height"
    if feet.shape in (Shape.FLUID, Shape.LADDER):
        return feet.name
    depth = 0
    while (below := cells.get((-1 - depth, *at))) is not None and below.shape in (Shape.EMPTY, Shape.PLANT):
        depth += 1
    if depth == 0:
        return ""
    ground = below.name if below is not None else ""
    return f"a drop of {depth} onto {ground}" if ground else f"a drop of {depth} or more"


def _notable_lines(cells: Mapping[tuple[int, int, int], Block]) -> list[str]:
    """The nearest of each kind of block worth knowing of, and how many there are."""
    places: dict[str, list[tuple[int, int, int]]] = {}
    for place, block in cells.items():
        if block.look in _NOTABLE or (block.look == Look.PLANT and block.name not in _PLAIN):
            places.setdefault(block.name, []).append(place)
    told = []
    for name, where in sorted(places.items()):
        nearest = min(where, key=lambda place: (sum(map(abs, place)), place))
        more = f" ({len(where)} in all)" if len(where) > 1 else ""
        told.append(f"{name} {_offset(*nearest)}{more}")
    return [f"Near you: {'; '.join(told)}."] if told else []


def _offset(up: int, ahead: int, right: int) -> str:
    parts = ((ahead, "ahead", "behind"), (right, "right", "left"), (up, "up", "down"))
    return ", ".join(f"{abs(n)} {plus if n > 0 else minus}" for n, plus, minus in parts if n) or "at your feet"


def _map_lines(voxels: np.ndarray) -> list[str]:
    """Every layer from the top, far rows first, left to right; one number for each block, with its legend."""
    used = sorted({int(block) for block in np.unique(voxels)})
    lines = ["Map legend: " + ", ".join(f"{block}={BLOCKS[block].name}" for block in used) + "."]
    middle = voxels.shape[0] // 2
    for k in reversed(range(voxels.shape[0])):
        lines.append(f"Layer {k - middle:+d} from the feet, farthest row first, you in the middle facing up:")
        lines += [" ".join(f"{int(block):2d}" for block in row) for row in voxels[k, ::-1]]
    return lines


def _action_lines(mask: np.ndarray, spec: WorldSpec) -> list[str]:
    possible = possible_actions(mask, spec)
    if list(possible) == ["action"]:
        return [f"Possible actions: {', '.join(possible['action'])}."]
    return [f"Possible for {factor}: {', '.join(names)}." for factor, names in possible.items()]


_PARTS = {
    "compass": _place_lines,
    "position": _position_lines,
    "vitals": _vital_lines,
    "status": _status_lines,
    "target_block": _target_lines,
    "entities": _entity_lines,
    "equipment": _equipment_lines,
    "inventory": _inventory_lines,
    "voxels": _surroundings_lines,
}
"""What is said, in order, by the sense it stands on."""
