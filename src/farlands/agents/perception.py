"""Perception: observation dictionaries to features.

Everything but images and lists meets one matrix of weights: ids as fixed bits, numbers scaled into about [0, 1].
Axis letters: N rows (time and batch flattened), F inputs, D features, P patches, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from farlands.agents.config import AgentConfig
from farlands.agents.inputs import input_linear, make_parts
from farlands.agents.lists import ListEncoder, split_lists
from farlands.worlds.world import ArraySpec

UNSEEN = ("action_mask",)
"""Keys that never reach a network's input."""


class Perception(nn.Module):
    """First layer, norm, and further layers.

    Args:
        observation: What there is to see.
        config: Sizes.

    Raises:
        ValueError: There is nothing to see.
    """

    def __init__(self, observation: Mapping[str, ArraySpec], config: AgentConfig) -> None:
        super().__init__()
        seen = {key: array for key, array in observation.items() if key not in UNSEEN}
        if not seen:
            raise ValueError(f"an agent needs something to see; the observation keys are {sorted(observation)}")
        images = {key: array for key, array in seen.items() if is_image(array)}
        alone, lists = split_lists({key: array for key, array in seen.items() if key not in images})
        parts = make_parts(alone)
        self.parts, self.sizes = nn.ModuleList(parts), [part.size for part in parts]
        self.lists = nn.ModuleDict({name: ListEncoder(arrays, config.hidden) for name, arrays in lists.items()})
        self.images = nn.ModuleDict({key: PatchEncoder(array, config) for key, array in images.items()})
        self.weight = nn.Parameter(torch.empty(config.hidden, sum(self.sizes)))
        self.bias = nn.Parameter(torch.zeros(config.hidden))
        self.norm = nn.LayerNorm(config.hidden)
        self.trunk = nn.ModuleList(_Layer(config.hidden) for _ in range(config.perception_layers))
        self._key, self._ndim = next((key, len(array.shape)) for key, array in seen.items())
        self._reset_weight()

    @torch.no_grad()
    def _reset_weight(self) -> None:
        """Every kind of input starts with an equal say, however many numbers it has."""
        for column in self.weight.split(self.sizes, dim=1) if self.sizes else ():
            column.normal_(0.0, 1.0 / math.sqrt(column.shape[1]))

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        """By key ``[*, *shape]`` to features ``[*, D]``."""
        some = observation[self._key]
        batch = some.shape[: some.ndim - self._ndim]
        flat = {key: value.flatten(0, len(batch) - 1) for key, value in observation.items() if key not in UNSEEN}
        features = self.norm(self._first(flat, batch.numel()))
        for encoder in self.lists.values():
            shift, scale = encoder(flat)
            features = features * (1.0 + scale) + shift
        features = functional.relu(features)
        for layer in self.trunk:
            features = layer(features)
        return features.unflatten(0, batch)

    def _first(self, flat: Mapping[str, Tensor], rows: int) -> Tensor:
        """What the first layer makes of every part, summed, ``[N, D]``."""
        seen = [image(flat[key]) for key, image in self.images.items()]
        if len(self.parts):
            seen.append(input_linear(self.parts, flat, rows, self.weight, self.bias))
        if not seen:  # lists alone
            return self.bias.expand(rows, -1)
        return torch.stack(seen).sum(dim=0) if len(seen) > 1 else seen[0]


class _Layer(nn.Module):
    """One residual layer of the trunk."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        nn.init.orthogonal_(self.linear.weight, gain=math.sqrt(2))
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.norm(features + self.linear(features)))


class Picture(nn.Module):
    """An image, or a plane of ids, as bytes with channels last; ids become their fixed bits, or else binary digits.
    Images stored in patches are put together.

    Attributes:
        shape: Height, width, channels.
        high: Largest byte.
    """

    table: Tensor

    def __init__(self, array: ArraySpec) -> None:
        super().__init__()
        codes = array.class_bits
        if array.categories and not codes:
            digits = max(1, (len(array.categories) - 1).bit_length())
            codes = tuple(
                tuple(index >> digit & 1 for digit in range(digits)) for index in range(len(array.categories))
            )
        self.register_buffer("table", torch.tensor(codes, dtype=torch.uint8), persistent=False)
        self.grid, side = array.grid, array.shape[1]
        height, width = (array.grid[0] * side, array.grid[1] * side) if array.grid else array.shape[:2]
        channels = array.shape[3:] if array.grid else array.shape[2:]
        self.shape = (height, width, len(codes[0]) if codes else math.prod(channels))
        self.high = 1.0 if codes else float(array.high)

    def forward(self, image: Tensor) -> Tensor:
        """uint8 ``[N, *shape]`` to uint8 ``[N, H, W, C]``."""
        if self.grid:
            image = image.unflatten(1, self.grid).transpose(2, 3)
        if len(self.table):
            image = torch.index_select(self.table, 0, image.reshape(-1).to(torch.int32))
        return image.reshape(-1, *self.shape)


class PatchEncoder(nn.Module):
    """Images to features by patches: one linear layer per patch, layers that mix patches and channels in turn
    (MLP-Mixer, Tolstikhin et al. 2021), and one linear layer over everything. Matrix products only.

    Images whose sides are no multiple of the patch are padded with zeros below and to the right.
    """

    def __init__(self, array: ArraySpec, config: AgentConfig) -> None:
        super().__init__()
        self.patch, self.picture = config.patch, Picture(array)
        # What is stored in patches of this size goes into the first product as it is.
        self.stored = bool(array.grid) and array.shape[1] == config.patch and not len(self.picture.table)
        height, width, channels = self.picture.shape
        patches = math.ceil(height / self.patch) * math.ceil(width / self.patch)
        self.read = nn.Linear(self.patch * self.patch * channels, config.patch_channels)
        self.mixers = nn.ModuleList(_Mixer(patches, config.patch_channels) for _ in range(config.patch_layers))
        self.norm = nn.LayerNorm(config.patch_channels)
        self.out = nn.Linear(patches * config.patch_channels, config.hidden)
        # Bytes go in as they are; the weights hold the scale.
        self.read.weight.data.div_(self.picture.high / 2)

    def forward(self, image: Tensor) -> Tensor:
        """uint8 ``[N, *shape]`` of one picture each to ``[N, D]``."""
        patches = image if self.stored else self._cut(self.picture(image))
        features = self.read(patches.flatten(2).to(self._dtype(image)))
        for mixer in self.mixers:
            features = mixer(features)
        return self.out(functional.relu(self.norm(features)).flatten(1))

    def _cut(self, image: Tensor) -> Tensor:
        """uint8 ``[N, H, W, C]`` to ``[N, P, patch, patch, C]``."""
        height, width = image.shape[1:3]
        below, right = -height % self.patch, -width % self.patch
        if below or right:
            image = functional.pad(image, (0, 0, 0, right, 0, below))
        return image.unflatten(2, (-1, self.patch)).unflatten(1, (-1, self.patch)).transpose(2, 3).flatten(1, 2)

    def _dtype(self, image: Tensor) -> torch.dtype:
        """Bytes become what the first product computes in, without a detour through wider numbers."""
        if torch.is_autocast_enabled(image.device.type):
            return torch.get_autocast_dtype(image.device.type)
        return self.read.weight.dtype


class _Mixer(nn.Module):
    """One residual mixing of patches, then one of channels."""

    def __init__(self, patches: int, channels: int) -> None:
        super().__init__()
        self.patch_norm, self.channel_norm = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.across = nn.Linear(patches, patches)
        self.within = nn.Linear(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """``[N, P, C]`` to ``[N, P, C]``."""
        mixed = self.across(functional.relu(self.patch_norm(features)).transpose(1, 2))
        features = features + mixed.transpose(1, 2)
        return features + self.within(functional.relu(self.channel_norm(features)))


def is_image(array: ArraySpec) -> bool:
    """Whether an array is bytes or ids over a plane, rather than a few ids or a list of numbers."""
    if array.grid:
        return array.dtype == "uint8"
    if array.dtype != "uint8" or len(array.shape) not in (2, 3) or min(array.shape[:2]) < 16:
        return False
    channels = array.shape[2:]
    return channels in ((), (1,)) or (channels in ((3,), (4,)) and not (array.categories or array.class_bits))


def make_perception(observation: Mapping[str, ArraySpec], config: AgentConfig) -> Perception:
    """The standard perception of a world."""
    return Perception(observation, config)
