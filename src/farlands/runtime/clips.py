"""Short films of chosen episodes, lived once more exactly as they were measured."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from farlands.evaluation.page import Clip
from farlands.evaluation.protocol import Actor, relive
from farlands.runtime.video import FRAMES_PER_SECOND, write_mp4
from farlands.worlds.world import Episodes, World

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT = 320, 240
MOST_FRAMES = 12 * FRAMES_PER_SECOND
_BEFORE, _AFTER = 12, 6
"""Steps shown around each unlock."""
_SHORT = 3 * FRAMES_PER_SECOND
"""Films with fewer frames are shown slower."""
_ENDS = 24
"""Steps shown of the beginning and of the end."""


def choose_episodes(episodes: Episodes) -> dict[str, int]:
    """Positions of the best, a typical and the worst episode by return, the typical one being the median.

    Of equal returns the longest-lived is taken as the best and the first to end as the worst. Episodes that would be
    shown twice are left out.
    """
    order = np.lexsort((episodes.row, episodes.length, episodes.reward))
    chosen = {"The best": order[-1], "A typical": order[len(order) // 2], "The worst": order[0]}
    found: dict[str, int] = {}
    for name, index in chosen.items():
        if int(index) not in found.values():
            found[name] = int(index)
    return found


def film_episodes(
    actor: Actor,
    make_world: Callable[[int], World],
    seeds: Sequence[int],
    episodes: Episodes,
    achievements: Sequence[str],
    **protocol: Any,
) -> tuple[list[Clip], list[str]]:
    """Film the best, a typical and the worst episode of an evaluation.

    Args:
        actor, make_world, seeds: As ``evaluate`` had them; the world can draw.
        episodes: What it gave.
        achievements: Names, in the order of ``Episodes.achievements``.
        protocol: ``noise_seed``, ``greedy`` and ``batch`` as ``evaluate`` had them.

    Returns:
        The clips, and what people should know about them.

    Raises:
        UserError: The films cannot be written.
    """
    chosen = choose_episodes(episodes)
    levels = {int(episodes.row[index]): index for index in chosen.values()}
    shown = {level: set(choose_steps(episodes, index)) for level, index in levels.items()}
    frames: dict[int, list[tuple[int, np.ndarray]]] = {level: [] for level in levels}

    def watch(world: World, tick: int, rows: dict[int, int]) -> None:
        wanted = {level: row for level, row in rows.items() if tick in shown[level]}
        if wanted:
            agents = world.num_agents
            pictures = world.render([row // agents for row in wanted.values()], HEIGHT, WIDTH)  # type: ignore[attr-defined]
            mine = [agents * k + row % agents for k, row in enumerate(wanted.values())]
            for level, picture in zip(wanted, pictures.cpu().numpy()[mine], strict=True):
                frames[level].append((tick, picture))

    picked = np.array(sorted(levels.values()))
    part = Episodes(**{name: value[picked] for name, value in vars(episodes).items() if name != "dropped"})
    again = relive(actor, make_world, seeds, part, watch, **protocol)
    clips = [_make_clip(name, episodes, index, frames, achievements) for name, index in chosen.items()]
    return clips, _differences(part, again)


def choose_steps(episodes: Episodes, index: int, most: int = MOST_FRAMES) -> list[int]:
    """Steps of an episode worth showing: its beginning, what leads up to each first unlock, its end.

    Args:
        episodes: All of them.
        index: Position of the one.
        most: Frames; what came late in a row of unlocks is left out first, then the beginning is drawn out.
    """
    length = int(episodes.length[index])
    chosen = set(range(min(_ENDS, length))) | set(range(max(0, length - _ENDS), length))
    unlocked = sorted(int(step) for step in episodes.achievements[index] if step > 0)
    for step in unlocked:
        window = range(max(0, step - _BEFORE), min(length, step + _AFTER))
        if len(chosen | set(window)) <= most:
            chosen |= set(window)
    rest = (step for step in range(length) if step not in chosen)
    for step in rest:
        if len(chosen) >= most:
            break
        chosen.add(step)
    return sorted(chosen)


def _make_clip(
    name: str,
    episodes: Episodes,
    index: int,
    frames: dict[int, list[tuple[int, np.ndarray]]],
    achievements: Sequence[str],
) -> Clip:
    level = int(episodes.row[index])
    unlocked = {int(step): [] for step in episodes.achievements[index] if step > 0}
    for feat, step in zip(achievements, episodes.achievements[index], strict=True):
        if step > 0:
            unlocked[int(step)].append(feat.replace("_", " "))
    pictures = [_write_on(picture, _line(tick, unlocked)) for tick, picture in frames[level]]
    length, total = int(episodes.length[index]), sum(map(len, unlocked.values()))
    slower = max(1, _SHORT // len(pictures))
    caption = (
        f"Level {level}: return {episodes.reward[index]:.2f}, {total} achievements, ended after {length:,} steps by "
        f"{str(episodes.cause[index]).replace('_', ' ')}. "
        + ("All of it is shown" if len(pictures) >= length else "Shown: the beginning, the unlocks and the end")
        + (f", {slower} times slower." if slower > 1 else ".")
    )
    pictures = [picture for picture in pictures for _ in range(slower)]
    return Clip(f"{name} episode", caption, _encode(pictures), _poster(pictures[min(len(pictures) - 1, _ENDS)]))


def _line(tick: int, unlocked: dict[int, list[str]]) -> str:
    """The step, and what was unlocked within the last few."""
    recent = [feat for step, feats in sorted(unlocked.items()) if 0 <= tick - step < _AFTER for feat in feats]
    return f"step {tick:,}" + (f"   + {', '.join(recent)}" if recent else "")


def _write_on(picture: np.ndarray, text: str) -> Image:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(np.ascontiguousarray(picture))
    draw = ImageDraw.Draw(image, "RGBA")
    font = ImageFont.load_default(13)
    # At the top: players lay their controls over the bottom.
    box = draw.textbbox((9, 7), text, font=font)
    draw.rectangle((box[0] - 5, box[1] - 4, box[2] + 5, box[3] + 4), fill=(0, 0, 0, 150))
    draw.text((9, 7), text, font=font, fill=(255, 255, 255, 255))
    return image


def _encode(pictures: Sequence[Image]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_mp4(path, (np.asarray(picture) for picture in pictures), (WIDTH, HEIGHT), quality=4)
        return path.read_bytes()


def _poster(picture: Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return file.getvalue()


def _differences(measured: Episodes, again: Episodes) -> list[str]:
    """What to say where an episode did not go the same way again."""
    same = len(measured) == len(again) and (measured.reward == again.reward).all()
    return [] if same else ["Lived again for the film, an episode went another way than when it was measured."]
