"""Choices about rewards. Free of torch, so that command lines can show them quickly."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RNDConfig:
    """Random network distillation (Burda et al. 2018)."""

    weight: float = 0.5
    """Weight of the bonus's advantage beside the task's."""
    keys: tuple[str, ...] = ()
    """Observation arrays whose novelty counts; by default all but the action mask."""
    discount: float = 0.99
    """Discount of the bonus, per step."""
    hidden: int = 128
    """Width of the target and predictor networks."""
    features: int = 64
    """Size of the target's output."""
    learning_rate: float = 3e-4
    """Step size of the predictor's Adam."""
    share: float = 0.25
    """Share of the steps the predictor learns from."""

    def __post_init__(self) -> None:
        for name in ("weight", "hidden", "features", "learning_rate", "share"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")
        if self.share > 1:
            raise ValueError(f"share is {self.share}; it must be at most 1")
        if not 0.0 <= self.discount <= 1.0:
            raise ValueError(f"discount is {self.discount}; it must be in [0, 1]")


@dataclass(frozen=True)
class ItemsConfig:
    """Reward for gathering items (Baker et al. 2022)."""

    weight: float = 1.0
    """Factor of the reward."""
    worth: tuple[str, ...] = (
        "oak_log:8:0.125", "spruce_log:8:0.125", "cobblestone:11:0.0909", "coal:5:0.4", "iron_ore:3:1.333",
        "diamond:3:2.667",
    )  # fmt: skip
    """What is paid, each item:most:reward, the most being how many of an episode count. By default what is cut and dug;
    paid for planks and sticks as well, agents turn all their wood into sticks."""

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"weight is {self.weight}; it must be above 0")
        names = [read_worth(text)[0] for text in self.worth]
        if not names:
            raise ValueError("worth is empty; it needs at least one item:most:reward")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"worth names {name} twice")


@dataclass(frozen=True)
class AffordancesConfig:
    """Reward for actions that become possible."""

    weight: float = 1.0
    """Reward of each, once an episode."""
    actions: tuple[str, ...] = ()
    """Names of the actions that count, e.g. "craft_*" "smelt_*"; by default all."""

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"weight is {self.weight}; it must be above 0")


def read_worth(text: str) -> tuple[str, int, float]:
    """``"planks:20:0.05"`` to name, cap and reward. Raises ValueError where it is nothing like it."""
    name, _, rest = text.partition(":")
    most, _, reward = rest.partition(":")
    try:
        found = name, int(most), float(reward)
    except ValueError:
        raise ValueError(f"worth has {text!r}; expected item:most:reward, e.g. planks:20:0.05") from None
    if not name or found[1] < 1 or not abs(found[2]) < float("inf"):
        raise ValueError(f"worth has {text!r}; expected item:most:reward, e.g. planks:20:0.05")
    return found


@dataclass(frozen=True)
class RewardConfig:
    """Which reward sources a run learns from."""

    task_weight: float = 1.0
    """Weight of the world's own reward; 0 leaves it out."""
    sources: tuple[str, ...] = ()
    """Further sources: "rnd", "items", "affordances", or your own, a RewardSource class or a function of the rollout,
    as "file.py:name" or "module:name"."""
    rnd: RNDConfig = field(default_factory=RNDConfig)
    """Random network distillation, when among the sources."""
    items: ItemsConfig = field(default_factory=ItemsConfig)
    """Gathering items, when among the sources."""
    affordances: AffordancesConfig = field(default_factory=AffordancesConfig)
    """Actions that become possible, when among the sources."""
