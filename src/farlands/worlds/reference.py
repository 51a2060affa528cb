"""Tiny exact worlds, one of each action kind: for tests, for the docs, and to try a learner in seconds.

Everything is a few torch operations on whole batches without a word to the host, so they run on any device and inside
a CUDA graph. Chance is a pure function of (episode seed, step, purpose). Axis letters: W worlds, which are rows here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from farlands.worlds.reference_options import CombinationOptions, CueCorridorOptions, PointReachOptions
from farlands.worlds.torch_world import TorchWorld
from farlands.worlds.world import ArraySpec, Box, Discrete, MultiDiscrete, WorldSpec


class CueCorridor(TorchWorld):
    """A sign at the start of a corridor says behind which of two doors at its end the reward is: a test of memory.

    Actions: wait, walk, open the left door, open the right door. The right door of the two gives +1, the other -1, and
    either ends the episode; each step costs 0.01. Without memory no policy expects more than a loss.
    """

    Options = CueCorridorOptions
    TILES = ("wall", "floor", "sign_left", "sign_right", "door")
    BITS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1))

    def __init__(
        self, num_worlds: int, options: CueCorridorOptions = CueCorridorOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        spec = WorldSpec(
            name="cue-corridor",
            observation={
                "view": ArraySpec(
                    (3, 3), "uint8", 0, 4, categories=self.TILES, class_bits=self.BITS, description="tiles around"
                ),
                "walked": ArraySpec((1,), "uint8", 0, options.length, labels=("walked",), description="cells walked"),
                "action_mask": ArraySpec((4,), "uint8", 0, 1, description="possible actions"),
            },
            action=Discrete(4, ("wait", "walk", "open_left", "open_right")),
            reward_range=(-1.01, 0.99),
            horizon=options.horizon,
            achievements=("arrive", "find"),
            rules=f"cue-corridor-1-{options.length}-{options.horizon}",
        )
        super().__init__(num_worlds, options, spec, device)

    def _begin(self, seed: Tensor) -> dict[str, Tensor]:
        side = self._choose(seed, 0, 1, 2)
        return {"side": side, "walked": torch.zeros_like(side)}

    def _advance(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        walked, side, actions = self.state["walked"], self.state["side"], actions.long()
        at_end = walked >= self.options.length
        opened = at_end & ((actions == 2) | (actions == 3))
        right = opened & (actions - 2 == side)
        walked += (actions == 1) & ~at_end
        reward = torch.where(right, 1.0, 0.0) - torch.where(opened & ~right, 1.0, 0.0) - 0.01
        return reward, opened, torch.stack((walked >= self.options.length, right), dim=1)

    def _observe(self) -> dict[str, Tensor]:
        walked, side = self.state["walked"], self.state["side"]
        at_start, at_end = walked == 0, walked >= self.options.length
        view = torch.zeros(self.num_worlds, 3, 3, dtype=torch.uint8, device=self.device)
        view[:, :, 1] = 1
        view[:, 1, 0] = torch.where(at_start, 2 + side, 0)
        view[:, 0, 1] = torch.where(at_end, 4, 1)
        mask = torch.stack((torch.ones_like(at_end), ~at_end, at_end, at_end), dim=1)
        return {"view": view, "walked": walked[:, None], "action_mask": mask}


class Combination(TorchWorld):
    """Two dials to be set at once, to the symbols shown; one wrong setting of each is jammed and masked out.

    Each right dial gives +0.5, a step with a wrong dial costs a life.
    """

    Options = CombinationOptions
    DIALS = (3, 5)

    def __init__(
        self, num_worlds: int, options: CombinationOptions = CombinationOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        symbols = tuple(f"symbol_{index}" for index in range(max(self.DIALS)))
        spec = WorldSpec(
            name="combination",
            observation={
                "shown": ArraySpec((2,), "uint8", 0, 4, categories=symbols, description="symbol wanted on each dial"),
                "lives": ArraySpec((), "uint8", 0, options.lives, description="mistakes left"),
                "action_mask": ArraySpec((sum(self.DIALS),), "uint8", 0, 1, description="settings not jammed"),
            },
            action=MultiDiscrete(self.DIALS, tuple(symbols[:n] for n in self.DIALS)),
            reward_range=(0.0, 1.0),
            horizon=options.horizon,
            achievements=("open",),
            rules=f"combination-1-{options.lives}-{options.horizon}",
        )
        self._dials = torch.tensor(self.DIALS, device=device)
        super().__init__(num_worlds, options, spec, device)

    def _begin(self, seed: Tensor) -> dict[str, Tensor]:
        lives = torch.full_like(seed, self.options.lives)
        return {"lives": lives, **self._show(seed, 0)}

    def _show(self, seed: Tensor, time: Tensor | int) -> dict[str, Tensor]:
        shown = [self._choose(seed, time, 1 + dial, n) for dial, n in enumerate(self.DIALS)]
        jammed = [1 + self._choose(seed, time, 3 + dial, n - 1) for dial, n in enumerate(self.DIALS)]
        pairs = zip(shown, jammed, self.DIALS, strict=True)
        return {
            "shown": torch.stack(shown, dim=1),
            "jammed": torch.stack([(symbol + turn) % n for symbol, turn, n in pairs], dim=1),
        }

    def _advance(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        state = self.state
        actions = torch.where((actions >= 0) & (actions < self._dials), actions, 0)
        right = actions == state["shown"]
        state["lives"] -= (~right.all(dim=1)).long()
        for name, value in self._show(self._seed(), state["time"] + 1).items():
            state[name].copy_(value)
        return 0.5 * right.sum(dim=1), state["lives"] <= 0, right.all(dim=1, keepdim=True)

    def _observe(self) -> dict[str, Tensor]:
        jammed = self.state["jammed"].unbind(1)
        free = [torch.arange(n, device=self.device) != one[:, None] for n, one in zip(self.DIALS, jammed, strict=True)]
        return {"shown": self.state["shown"], "lives": self.state["lives"], "action_mask": torch.cat(free, dim=1)}


class PointReach(TorchWorld):
    """A point in a square room, pushed by up to 0.2 a step in x and y, has to reach a target.

    Reward: the way made towards the target, minus 0.05, plus 1 on arrival, which ends the episode.
    """

    Options = PointReachOptions

    def __init__(
        self, num_worlds: int, options: PointReachOptions = PointReachOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        spec = WorldSpec(
            name="point-reach",
            observation={
                "position": ArraySpec((2,), "float32", -1.0, 1.0, ("x", "y"), description="of the point"),
                "target": ArraySpec((2,), "float32", -1.0, 1.0, ("x", "y"), description="of the target"),
            },
            action=Box((-1.0, -1.0), (1.0, 1.0)),
            reward_range=(-0.35, 1.25),
            horizon=options.horizon,
            achievements=("reach",),
            rules=f"point-reach-1-{options.radius}-{options.horizon}",
        )
        super().__init__(num_worlds, options, spec, device)

    def _begin(self, seed: Tensor) -> dict[str, Tensor]:
        places = [self._chance(seed, 0, purpose).float() * 2.0**-22 - 1.0 for purpose in range(1, 5)]
        return {"position": torch.stack(places[:2], dim=1), "target": torch.stack(places[2:], dim=1)}

    def _advance(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        position, target = self.state["position"], self.state["target"]
        before = _distance(position, target)
        position.add_(actions.clamp(-1.0, 1.0), alpha=0.2).clamp_(-1.0, 1.0)
        after = _distance(position, target)
        reached = after < self.options.radius
        return before - after - 0.05 + reached.float(), reached, reached[:, None]

    def _observe(self) -> dict[str, Tensor]:
        return {"position": self.state["position"], "target": self.state["target"]}


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().sum(dim=1).sqrt()
