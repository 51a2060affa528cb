"""The noise fields behind the land, on lattices coarse enough to be cheap and fine enough to look natural.

Value noise on a hashed integer lattice with quintic fade (Perlin, "Improving Noise", 2002, for the fade). One hash
gives four words, so four fields of the same wavelength cost one.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.options import BIOMES
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import Rules

SEA_LEVEL = 32
"""Cells below this height fill with water where nothing else is."""

COLUMN_SPACING = 4
COLUMN_SHIFT = 2
CAVE_SPACING = 8
CAVE_SHIFT = 3
CAVE_LEVELS = 9
"""Cave lattice nodes along z: 0, 8, ... 64."""

NUM_RELIEF = 5
"""Values per relief node: height, temperature, humidity, ruggedness, ravine."""

_CLIMATE = int(Purpose.NOISE)
_CLIMATE_DETAIL = int(Purpose.NOISE) + 1
_RELIEF = int(Purpose.NOISE) + 2
_RELIEF_DETAIL = int(Purpose.NOISE) + 3
_CAVES = int(Purpose.NOISE) + 4
_INDEX_MASK = (1 << 22) - 1

_CLIMATE_WAVELENGTH = 112.0
_CLIMATE_DETAIL_WAVELENGTH = 36.0
_RELIEF_WAVELENGTH = 26.0
_RELIEF_DETAIL_WAVELENGTH = 9.0
_CAVE_WAVELENGTH = 18.0
_CAVE_WAVELENGTH_Z = 12.0


OCEAN, PLAINS, FOREST, DESERT, SNOWY, MOUNTAINS = (1 << index for index in range(len(BIOMES)))
"""Bits of ``Rules.biomes``, in the order of ``BIOMES``."""
_LOWLAND = PLAINS | FOREST | DESERT | SNOWY


@wp.func
def _unit(word: wp.uint32):
    """Uniform word to [-1, 1), exactly (24 bits)."""
    return wp.float32(word >> wp.uint32(8)) * 1.1920929e-07 - 1.0


@wp.func
def _fade(x: float):
    return x * x * x * (x * (x * 6.0 - 15.0) + 10.0)


@wp.func
def _node(low: wp.uint32, high: wp.uint32, x: int, y: int, field: int):
    words = draw(low, high, x, y & _INDEX_MASK, field)
    return wp.vec4(_unit(words[0]), _unit(words[1]), _unit(words[2]), _unit(words[3]))


@wp.func
def noise_2d(low: wp.uint32, high: wp.uint32, x: float, y: float, field: int):
    """Four independent noise values in [-1, 1) at a point given in wavelengths."""
    fx = wp.floor(x)
    fy = wp.floor(y)
    ix = int(fx)
    iy = int(fy)
    u = _fade(x - fx)
    v = _fade(y - fy)
    south = _node(low, high, ix, iy, field) * (1.0 - u) + _node(low, high, ix + 1, iy, field) * u
    north = _node(low, high, ix, iy + 1, field) * (1.0 - u) + _node(low, high, ix + 1, iy + 1, field) * u
    return south * (1.0 - v) + north * v


@wp.func
def noise_3d(low: wp.uint32, high: wp.uint32, x: float, y: float, z: float, field: int):
    """Four independent noise values in [-1, 1); the lattice layers along z are separate fields (z in 0..31)."""
    fz = wp.floor(z)
    w = _fade(z - fz)
    layer = field + int(fz)
    return noise_2d(low, high, x, y, layer) * (1.0 - w) + noise_2d(low, high, x, y, layer + 1) * w


@wp.struct
class Relief:
    """What the land is like at a point. height: surface in blocks; the climate values are about -1 to 1."""

    height: float
    temperature: float
    humidity: float
    ruggedness: float
    ravine: float


@wp.func
def relief_at(rules: Rules, low: wp.uint32, high: wp.uint32, x: int, y: int):
    """Relief at block coordinates, from four noises; without the mountains and seas that the rules leave out."""
    px = float(x)
    py = float(y)
    climate = noise_2d(low, high, px / _CLIMATE_WAVELENGTH, py / _CLIMATE_WAVELENGTH, _CLIMATE)
    climate += 0.35 * noise_2d(
        low, high, px / _CLIMATE_DETAIL_WAVELENGTH, py / _CLIMATE_DETAIL_WAVELENGTH, _CLIMATE_DETAIL
    )
    shape = noise_2d(low, high, px / _RELIEF_WAVELENGTH, py / _RELIEF_WAVELENGTH, _RELIEF)
    detail = noise_2d(low, high, px / _RELIEF_DETAIL_WAVELENGTH, py / _RELIEF_DETAIL_WAVELENGTH, _RELIEF_DETAIL)
    land = Relief()
    land.temperature = climate[0]
    land.humidity = climate[1]
    land.ruggedness = climate[2]
    if (rules.biomes & _LOWLAND) == 0:
        # Nothing but mountains (and the sea): the lowlands become high ones.
        land.ruggedness = 0.4 + 0.6 * wp.abs(climate[2])
    mountain = wp.max(land.ruggedness - 0.25, 0.0)
    if (rules.biomes & MOUNTAINS) == 0:
        mountain = 0.0
    height = 36.5 + 3.0 * shape[0] + 0.9 * detail[0]
    # Far out the land sinks into the sea by a steep shelf; the plains near the shore stay low.
    sea = wp.max(-0.3 - climate[3], 0.0)
    if (rules.biomes & OCEAN) == 0:
        sea = 0.0
    height = height - 34.0 * sea + mountain * (30.0 + 12.0 * shape[1])
    land.height = wp.clamp(height, 14.0, 60.0)
    # A ravine follows a zero line of one noise where another allows it.
    land.ravine = wp.abs(shape[2]) + wp.max(0.25 - shape[3], 0.0)
    return land


@wp.func
def caves_at(low: wp.uint32, high: wp.uint32, x: int, y: int, z: int):
    """The cave fields at block coordinates: two whose common zero lines are tunnels, one with caverns at its peaks."""
    value = noise_3d(
        low, high, float(x) / _CAVE_WAVELENGTH, float(y) / _CAVE_WAVELENGTH, float(z) / _CAVE_WAVELENGTH_Z, _CAVES
    )
    return wp.vec3(value[0], value[1], value[2])
