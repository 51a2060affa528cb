"""The living world in pictures: a night, a flood, a cave-in, a farm, two agents building; played by the rules, filmed.

    python benchmarks/living.py docs/pictures

Each scene is built on a meadow by plain assignments, and then left to ``World.step``; four moments of each make a strip
of pictures, and all of them a film (GIF).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import warp as wp
from PIL import Image

from farlands.worlds.voxel.actions import CHOICE_ID, Hand, Move
from farlands.worlds.voxel.blocks import AIR, BEDROCK, BLOCK_ID, DIRT, GRASS, STONE
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

GROUND = 32
"""Height of the meadow: the first free cell."""
_NORTH = 0


class Stage:
    """One world with a meadow in which its agents stand at (0, 0), looking north; z is counted from the meadow. The
    first of them sees the pictures.
    """

    def __init__(self, **options: object) -> None:
        chosen = {"actions": "factored", "endless": False, "sight": 40, "hunger": False} | options
        self.world = VoxelWorld(1, VoxelOptions(**chosen), num_shards=1)  # type: ignore[arg-type]
        self.world.reset(7)
        state = self.world.state
        self.blocks = wp.to_torch(state.blocks).view(64, 64, 64)
        self.tops = wp.to_torch(state.tops).view(64, 64)
        self.body, self.clock = wp.to_torch(state.body), wp.to_torch(state.clock)
        self.creatures = wp.to_torch(state.creatures)
        self.blocks[:] = AIR
        self.blocks[..., :GROUND] = STONE
        self.blocks[..., GROUND - 3 : GROUND - 1] = DIRT
        self.blocks[..., GROUND - 1] = GRASS
        self.blocks[..., 0] = BEDROCK
        self.tops[:] = GROUND
        self.clock[Clock.ORIGIN_X : Clock.ORIGIN_Y + 1] = -32
        self.clock[Clock.CREATURES] = 0
        self.creatures[:] = 0
        self.stand(0.5, 0.5, 0.0)
        self.body[Body.YAW] = _NORTH
        generator = np.random.default_rng(3)
        for x, y in generator.integers(-30, 30, (90, 2)):
            if abs(x) > 3 or y < -2 or y > 14:
                self.set(generator.choice(["tall_grass", "red_flower", "yellow_flower"]), int(x), int(y), 0)

    def stand(self, x: float, y: float, z: float, agent: int = 0) -> None:
        """Move an agent."""
        for axis, value in ((Body.X, x), (Body.Y, y), (Body.Z, z + GROUND)):
            self.body[axis, agent] = round(value * POSITION_ONE)
        self.body[Body.VZ, agent] = 0

    def set(self, name: str, x: int, y: int, z: int) -> None:
        """Put a block there."""
        self.blocks[x % 64, y % 64, z + GROUND] = BLOCK_ID[name]
        if name not in ("air", "water", "torch", "tall_grass", "red_flower", "yellow_flower", "glass", "wheat_0"):
            self.tops[x % 64, y % 64] = max(int(self.tops[x % 64, y % 64]), z + GROUND + 1)

    def fill(self, name: str, xs: range, ys: range, zs: range) -> None:
        """Put a box of blocks there."""
        for x in xs:
            for y in ys:
                for z in zs:
                    self.set(name, x, y, z)

    def add(self, name: str, x: float, y: float, yaw: int) -> None:
        """Let a creature stand there."""
        k = int(self.clock[Clock.CREATURES])
        row = self.creatures[0, k]
        row[Being.KIND], row[Being.NAME], row[Being.YAW] = CREATURE_ID[name], k + 1, yaw
        row[Being.HEALTH] = CREATURES[CREATURE_ID[name] - 1].health
        row[Being.X], row[Being.Y], row[Being.Z] = int(x * POSITION_ONE), int(y * POSITION_ONE), GROUND * POSITION_ONE
        self.clock[Clock.CREATURES] = self.clock[Clock.NAMES] = k + 1

    def act_all(self, *actions: tuple[Hand, str, Move]) -> None:
        """One step of all agents."""
        rows = [[move, 0, 0, hand, CHOICE_ID[choice]] for hand, choice, move in actions]
        self.world.step(torch.tensor(rows, dtype=torch.int32))

    def act(self, hand: Hand = Hand.NONE, choice: str = "none", move: Move = Move.NONE) -> None:
        """One step of an agent that is alone."""
        self.act_all((hand, choice, move))

    def picture(self, height: int, width: int) -> np.ndarray:
        """What the agent sees, uint8 ``[H, X, 3]``."""
        return self.world.render([0], height, width)[0].numpy()


def night() -> Iterator[Stage]:
    """Zombies, a skeleton and a spider come out of the dark to an agent by its torches."""
    stage = Stage(start_time=15_500, spawn_rate=0.0, start_kit=("iron_sword", "torch:4"))
    for x, y in ((-2, 3), (3, 4), (0, 8)):
        stage.set("torch", x, y, 0)
    for name, x, y in (("zombie", -3.5, 13.5), ("zombie", 2.5, 15.5), ("skeleton", 6.5, 14.5), ("spider", -7.5, 12.5)):
        stage.add(name, x, y, 12)
    stage.world.relight()
    stage.act(choice="equip_sword")
    for _ in range(60):
        stage.act(hand=Hand.ATTACK)
        yield stage


def flood() -> Iterator[Stage]:
    """A dam of cobblestone is opened, and the lake behind it runs out over the meadow."""
    stage = Stage(creatures="animals", start_time=5_000, start_kit=("diamond_pickaxe",))
    stage.clock[Clock.CREATURES] = 0
    stage.creatures[:] = 0
    stage.fill("cobblestone", range(-7, 8), range(6, 16), range(4))
    stage.fill("water", range(-6, 7), range(7, 15), range(4))
    stage.add("pig", -3.5, 4.5, 6)
    stage.add("chicken", 4.5, 3.5, 18)
    stage.stand(0.5, 3.4, 0.0)
    stage.world.relight()
    stage.act(choice="equip_pickaxe")
    for step in range(70):
        stage.act(hand=Hand.ATTACK if step < 8 else Hand.NONE, move=Move.BACK if 8 <= step < 14 else Move.NONE)
        yield stage


def cave_in() -> Iterator[Stage]:
    """TNT is lit under a hill of gravel and stone."""
    stage = Stage(creatures="none", start_time=5_000, start_kit=("flint_and_steel",))
    for z, reach in ((0, 5), (1, 5), (2, 5), (3, 4), (4, 4), (5, 3), (6, 2)):
        stage.fill(
            "stone" if z < 3 else "gravel", range(-reach, reach + 1), range(11 - reach, 12 + reach), range(z, z + 1)
        )
    stage.fill("air", range(-1, 2), range(6, 13), range(2))
    stage.fill("tnt", range(-1, 2), range(9, 12), range(1))
    stage.set("tnt", 0, 8, 1)
    stage.stand(0.5, 5.0, 0.0)
    stage.world.relight()
    stage.act(choice="equip_lighter")
    for step in range(64):
        stage.act(hand=Hand.USE if step == 1 else Hand.NONE, move=Move.BACK if 2 <= step < 19 else Move.NONE)
        yield stage


def farm() -> Iterator[Stage]:
    """Wheat in rows beside a ditch ripens at sixty times its pace; a cow and sheep look on."""
    stage = Stage(creatures="animals", start_time=4_000, growth_rate=60.0)
    stage.clock[Clock.CREATURES] = 0
    stage.creatures[:] = 0
    for x in range(-5, 6):
        for y in range(3, 9):
            stage.set("water" if y == 5 else "wet_farmland", x, y, -1)
    stage.body[Body.PITCH] = -1
    for name, x, y, yaw in (("cow", -7.5, 9.5, 8), ("sheep", 7.5, 10.5, 15), ("sheep", 8.5, 7.5, 17)):
        stage.add(name, x, y, yaw)
    stage.stand(0.5, -0.5, 1.0)
    stage.set("stone", 0, -1, 0)
    # Sown by hand, so that the world knows of it.
    stage.world.relight()
    sow(stage)
    for _ in range(64):
        stage.act()
        yield stage


def sow(stage: Stage) -> None:
    """Put seeds into every plot and on the list of what grows."""
    growing = wp.to_torch(stage.world.state.growing)[0]
    count = 0
    for x in range(-5, 6):
        for y in (3, 4, 6, 7, 8):
            stage.set("wheat_0", x, y, 0)
            growing[count] = ((x % 64) << 12) | ((y % 64) << 6) | GROUND
            count += 1
    stage.clock[Clock.GROWING_COUNT] = count


def builders() -> Iterator[Stage]:
    """Two agents build a wall, one of stone and one of wood, while a third looks on."""
    kit = ("cobblestone:64", "planks:64", "iron_axe", "stone_pickaxe")
    stage = Stage(agents=3, creatures="none", start_time=4_500, start_kit=kit)
    stage.stand(0.5, -1.4, 0.0)
    # Each begins at an end, two blocks before the wall, and goes sideways to and fro.
    for agent, x, tool in ((1, -4.5, "equip_pickaxe"), (2, 4.5, "equip_axe")):
        stage.stand(x, 3.4, 0.0, agent)
        stage.body[Body.PITCH, agent] = -2
        stage.act_all(*(((Hand.NONE, tool if k == agent else "none", Move.NONE)) for k in range(3)))
    stage.world.relight()
    idle = (Hand.NONE, "none", Move.NONE)
    for step in range(56):
        stage.body[Body.PITCH, 1:] = -2 if step < 32 else -1
        out = (step // 2) % 16 < 8
        moves = {1: Move.RIGHT if out else Move.LEFT, 2: Move.LEFT if out else Move.RIGHT}
        blocks = {1: "place_cobblestone", 2: "place_planks"}
        stage.act_all(
            idle, *((Hand.NONE, blocks[k], Move.NONE) if step % 2 else (Hand.NONE, "none", moves[k]) for k in (1, 2))
        )
        yield stage


SCENES: dict[str, Callable[[], Iterator[Stage]]] = {
    "night_with_zombies": night, "flood": flood, "cave_in": cave_in, "farm": farm,
    "two_agents_building": builders,
}  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=tuple(SCENES), help="one scene, and no film")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    film: list[Image.Image] = []
    for name, play in SCENES.items():
        if arguments.only in (None, name):
            frames = [stage.picture(180, 320) for stage in play()]
            moments = np.linspace(0, len(frames) - 1, 4).astype(int)
            strip = np.concatenate([frames[k] for k in moments], axis=1)
            Image.fromarray(strip).save(arguments.folder / f"{name}.png", optimize=True)
            film += [Image.fromarray(frame).resize((240, 135)) for frame in frames[::2]]
    if arguments.only is None:
        film[0].save(
            arguments.folder / "living.gif", save_all=True, append_images=film[1:], duration=160, loop=0, optimize=True
        )


if __name__ == "__main__":
    main()
