"""Foreign worlds by name: any environment of Gymnasium, Crafter, MiniGrid, Atari."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import gymnasium
import torch

from farlands.worlds.adapters.foreign.atari import AtariSource
from farlands.worlds.adapters.foreign.crafter import CrafterSource
from farlands.worlds.adapters.foreign.host import Source
from farlands.worlds.adapters.foreign.minigrid import MinigridSource
from farlands.worlds.adapters.foreign.options import (
    AtariOptions,
    CrafterOptions,
    ForeignOptions,
    GymnasiumOptions,
    MinigridOptions,
)
from farlands.worlds.adapters.foreign.pool import LocalPool
from farlands.worlds.adapters.foreign.sources import CallableSource, GymnasiumSource, require
from farlands.worlds.adapters.foreign.vector_host import VectorHost
from farlands.worlds.adapters.foreign.world import ForeignWorld, make_pool


class GymnasiumWorld(ForeignWorld):
    """Single environments of Gymnasium side by side, by id or by constructor.

    A subclass may have ``make(options)``, a static method that gives a new environment, instead of an id; its file
    needs not be importable.

    Args:
        num_worlds: How many.
        options: What is chosen about them.
        device: Where tensors live.
        constructor: Makes one environment; ``options.env_id`` and ``options.kwargs`` are then not used.

    Raises:
        UserError: The environment can't be made, or has a space that no array can hold.
    """

    Options = GymnasiumOptions
    make: Callable[[Any], gymnasium.Env] | None = None

    def __init__(
        self,
        num_worlds: int,
        options: GymnasiumOptions = GymnasiumOptions(),
        *,
        device: torch.device | str = "cpu",
        constructor: Callable[[], gymnasium.Env] | None = None,
    ) -> None:
        source = self._source(options, constructor)
        super().__init__(
            make_pool(source, num_worlds, options), source.name, _rules(source.name, options), options, device
        )

    @classmethod
    def _source(cls, options: GymnasiumOptions, constructor: Callable[[], gymnasium.Env] | None) -> Source:
        label = ""
        if constructor is None and cls.make is not None:
            constructor, label = functools.partial(cls.make, options), cls.__name__
        if constructor is not None:
            return CallableSource(constructor, label, options.horizon, options.seed_bits, options.ahead)
        return GymnasiumSource(options.env_id, options.keywords(), options.horizon, options.seed_bits, options.ahead)


class CrafterWorld(ForeignWorld):
    """Crafter (Hafner 2021) as its protocol has it: 64x64 pictures, 17 actions, 22 achievements, the package's reward.

    Raises:
        UserError: The package is missing.
    """

    Options = CrafterOptions

    def __init__(
        self, num_worlds: int, options: CrafterOptions = CrafterOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        require("crafter", "crafter")
        super().__init__(
            make_pool(CrafterSource(options), num_worlds, options),
            "crafter",
            _rules("crafter", options),
            options,
            device,
        )


class MinigridWorld(ForeignWorld):
    """MiniGrid and BabyAI: planes of ids for objects, colours and states, the direction, the words of the mission.

    Raises:
        UserError: The package is missing, or there is no such environment.
    """

    Options = MinigridOptions

    def __init__(
        self, num_worlds: int, options: MinigridOptions = MinigridOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        require("minigrid", "minigrid")
        name = options.env_id
        super().__init__(
            make_pool(MinigridSource(options), num_worlds, options), name, _rules(name, options), options, device
        )


class AtariWorld(ForeignWorld):
    """Atari 2600 games with the standard preprocessing.

    Raises:
        UserError: The package is missing, or there is no such game.
    """

    Options = AtariOptions

    def __init__(
        self, num_worlds: int, options: AtariOptions = AtariOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        require("ale_py", "atari")
        name = f"atari-{options.game}"
        super().__init__(
            make_pool(AtariSource(options), num_worlds, options), name, _rules(name, options), options, device
        )


class VectorEnvWorld(ForeignWorld):
    """A vector environment that stands, of any autoreset mode; ``VectorHost`` says what becomes of each.

    Args:
        env: The vector environment; closed with the world.
        options: Workers and ahead have no meaning here.
        device: Where tensors live.
        horizon: Steps after which episodes are truncated, where ``env.spec`` does not say.
        seed_bits: Bits of a seed that it takes.
    """

    Options = ForeignOptions

    def __init__(
        self,
        env: gymnasium.vector.VectorEnv,
        options: ForeignOptions = ForeignOptions(),
        *,
        device: torch.device | str = "cpu",
        horizon: int | None = None,
        seed_bits: int = 64,
    ) -> None:
        name = env.spec.id if env.spec is not None else type(env.unwrapped).__name__
        pool = LocalPool(name, VectorHost(env, horizon=horizon, seed_bits=seed_bits))
        super().__init__(pool, name, f"{name}-{horizon}", options, device)


def _rules(name: str, options: ForeignOptions) -> str:
    """What the same seed and actions lead to depends on: the options, but for how environments are run."""
    running = {field.name for field in dataclasses.fields(ForeignOptions)} | {"ahead"}
    chosen = {key: value for key, value in dataclasses.asdict(options).items() if key not in running}
    return "-".join([name, *(f"{key}={value}" for key, value in sorted(chosen.items()))])
