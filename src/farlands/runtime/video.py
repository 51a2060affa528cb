"""Films of an agent, in worlds that can draw.

A world can draw if it has ``render(worlds, height, width) -> uint8 [n, height, width, 3]``, first-person pictures of
the chosen world indices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from farlands.agents.noise import uniforms
from farlands.errors import UserError
from farlands.evaluation.protocol import Actor, evaluation_seeds
from farlands.runtime.build import build_world
from farlands.worlds.world import World

if TYPE_CHECKING:
    from farlands.runtime.subject import Subject

FRAMES_PER_SECOND = 20
_GRID = 2


def film_agent(
    subject: Subject, path: Path, device: torch.device, *, level_set: int = 0, seconds: float = 20.0, side: int = 256
) -> Path:
    """Film an agent in four levels at once, a step a frame.

    Args:
        subject: Whose agent, in which world; it can draw.
        path: ``.mp4`` or ``.gif`` to write.
        device: Where to live and draw.
        level_set: Which evaluation levels; the first four are shown.
        seconds: Length of the film.
        side: Of each of the four pictures, in pixels.

    Returns:
        The path.

    Raises:
        UserError: The file cannot be written.
    """
    world = build_world(subject.settings.world, _GRID * _GRID, subject.options, device)
    try:
        actor = subject.make_actor(world.spec, device)
        pictures = live_and_draw(world, actor, level_set, round(seconds * FRAMES_PER_SECOND), side)
        write_video(path, pictures, (_GRID * side, _GRID * side))
    finally:
        world.close()
    return path


@torch.no_grad()
def live_and_draw(world: World, actor: Actor, level_set: int, frames: int, side: int) -> Iterator[np.ndarray]:
    """Mosaics of what the first agents of all G * G worlds see, uint8 ``[G * side, G * side, 3]``, one per step."""
    rows, device = world.num_rows, world.device
    here, there = world.reset(evaluation_seeds(level_set, world.num_worlds)), world.allocate()
    memory, ids = actor.initial_memory(rows).to(device), torch.arange(rows, device=device)
    first = torch.ones(rows, dtype=torch.bool, device=device)
    for tick in range(frames):
        pictures = world.render(list(range(world.num_worlds)), side, side)  # type: ignore[attr-defined]
        yield _mosaic(torch.as_tensor(pictures)[:: world.num_agents].cpu().numpy())
        noise = uniforms(level_set, ids, torch.tensor(tick, device=device), actor.noise_size)
        act = actor.act(here.observation, memory, first, noise)
        here, there = world.step(act.action, out=there), here
        memory, first = act.memory, here.terminated | here.truncated


def write_video(path: Path, pictures: Iterator[np.ndarray], size: tuple[int, int]) -> None:
    """Write pictures of that width and height as ``.mp4`` or ``.gif``. Raises UserError."""
    try:
        if path.suffix.lower() == ".gif":
            _write_gif(path, pictures)
        else:
            write_mp4(path, pictures, size)
    except OSError as error:
        raise UserError("cannot write the video", path, error.strerror or str(error)) from error


def write_mp4(path: Path, pictures: Iterable[np.ndarray], size: tuple[int, int], quality: int = 5) -> None:
    """Write uint8 ``[height, width, 3]`` pictures as H.264, which every browser plays.

    Args:
        path: The file.
        pictures: Any number.
        size: Width and height, even numbers.
        quality: 1, smallest, to 10.

    Raises:
        UserError: imageio-ffmpeg is not installed.
        OSError: The file cannot be written.
    """
    try:
        from imageio_ffmpeg import write_frames
    except ImportError as error:
        raise UserError(
            "writing .mp4 needs imageio-ffmpeg", allowed="pip install 'farlands[video]', or use .gif"
        ) from error
    writer = write_frames(str(path), size, fps=FRAMES_PER_SECOND, codec="libx264", quality=quality, macro_block_size=2)
    writer.send(None)
    try:
        for picture in pictures:
            writer.send(np.ascontiguousarray(picture))
    finally:
        writer.close()


def _write_gif(path: Path, pictures: Iterator[np.ndarray]) -> None:
    from PIL import Image

    images = [Image.fromarray(picture) for picture in pictures]
    images[0].save(path, save_all=True, append_images=images[1:], duration=1000 // FRAMES_PER_SECOND, loop=0)


def _mosaic(pictures: np.ndarray) -> np.ndarray:
    count, height, width, channels = pictures.shape
    grid = round(count**0.5)
    return (
        pictures.reshape(grid, grid, height, width, channels)
        .swapaxes(1, 2)
        .reshape(grid * height, grid * width, channels)
    )
