"""Explosions: what they break, whom they hurt, and how TNT sets off TNT.

Blocks are broken by a sphere weighted by resistance: every cell of the cube around the centre is reached along a line
of cells from the centre, one to each layer of the cube, on which the blast loses 0.75 per block of way and, in blocks,
their resistance + 0.3 besides; it starts with the power times 0.7 to 1.3, drawn for each cell. A block that it gets
0.3 blocks deep into is gone, and its drops with it: they would go into nobody's hands. Layers are done from the
outermost inwards, so that no line sees what this blast has broken. Fluids, obsidian and bedrock hold.

Bodies lose ((i^2 + i) / 2) * 7 * power + 1 health points, where i is the share of the box that the blast sees times
1 - distance / (2 * power), and are thrown by i blocks per tick.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, LIT_TNT, TNT, Fluid
from farlands.worlds.voxel.company import is_present
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.combat import wound
from farlands.worlds.voxel.creatures.kinds import Temper
from farlands.worlds.voxel.grid import block_at, cell_at, cell_position, set_block
from farlands.worlds.voxel.matter.fire import light_tnt
from farlands.worlds.voxel.matter.fluids import drawn_block
from farlands.worlds.voxel.matter.fuses import SHORT_FUSE, SHORT_FUSE_SPREAD, remove_fuse
from farlands.worlds.voxel.physics import BODY_HALF_WIDTH, BODY_HEIGHT, EYE_HEIGHT
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import (
    POSITION_ONE,
    POSITION_SHIFT,
    VELOCITY_ONE,
    Body,
    Cause,
    Clock,
    Rules,
    VoxelState,
)
from farlands.worlds.voxel.tables import BlockColumn, CreatureColumn, Tables
from farlands.worlds.voxel.vitals import hurt

TNT_POWER = 4
LOSS_PER_BLOCK = 750
LOSS_IN_BLOCKS = 300
"""Thousandths of power lost per block of way, and besides in blocks whatever they are."""
BITE = 307
"""How deep a blast must get into a block to break it, in 1/1024 block."""
STOPS = 10_000
"""Resistance in thousandths from which on a block holds any blast."""
_LENGTH_SHIFT = 10
IMPACT_ONE = 1 << 10
_NEAR_SHIFT = POSITION_SHIFT - 6
_HALF_BOX = BODY_HALF_WIDTH - 64
_SAMPLES = 16
_THROW_SHIFT = 5
"""Creatures are thrown up by half an impact, in velocity units."""


@wp.func
def _length(dx: int, dy: int, dz: int):
    """Length of a vector of small whole numbers in 1/1024."""
    return int(wp.sqrt(float(dx * dx + dy * dy + dz * dz)) * 1024.0)


@wp.func
def _breaks(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, d: wp.vec3i, strength: int):
    """Whether a blast of that strength in thousandths, from the centre ``at``, breaks the block at ``at + d``."""
    layers = wp.max(wp.abs(d[0]), wp.max(wp.abs(d[1]), wp.abs(d[2])))
    step = _length(d[0], d[1], d[2]) // layers
    left = strength
    k = int(1)
    while k <= layers and left > 0:
        # Halves away from zero are rounded up for both signs alike.
        x = wp.sign(d[0]) * ((2 * wp.abs(d[0]) * k + layers) // (2 * layers))
        y = wp.sign(d[1]) * ((2 * wp.abs(d[1]) * k + layers) // (2 * layers))
        z = wp.sign(d[2]) * ((2 * wp.abs(d[2]) * k + layers) // (2 * layers))
        block = block_at(s, rules, w, at[0] + x, at[1] + y, at[2] + z)
        loss = int(LOSS_PER_BLOCK)
        if block != AIR:
            resistance = t.block[block, BlockColumn.RESISTANCE]
            if resistance >= STOPS:
                return False
            if k == layers:
                # Breaking a block takes less than going on through it.
                left -= ((resistance + LOSS_IN_BLOCKS) * BITE) >> _LENGTH_SHIFT
            else:
                loss += resistance + LOSS_IN_BLOCKS
        left -= (loss * step) >> _LENGTH_SHIFT
        k += 1
    return left > 0


@wp.func
def _blow_away(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, word: wp.uint32):
    """Break the block of a cell; TNT is lit instead, on a short fuse, as long as there is room for one."""
    if wp.int32(s.blocks[w, cell]) == TNT:
        if light_tnt(s, t, rules, w, cell, SHORT_FUSE + wp.int32(word % wp.uint32(SHORT_FUSE_SPREAD))):
            return
    set_block(s, t, rules, w, cell, AIR)


@wp.func
def _try_cell(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, d: wp.vec3i, power: int):
    cell = cell_at(s, rules, w, at[0] + d[0], at[1] + d[1], at[2] + d[2])
    if cell < 0:
        return
    block = wp.int32(s.blocks[w, cell])
    if block == AIR or block == LIT_TNT or t.block[block, BlockColumn.RESISTANCE] >= STOPS:
        return
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], cell,
        Purpose.BLAST,
    )  # fmt: skip
    strength = power * (700 + wp.int32(words[0] % wp.uint32(601)))
    if _breaks(s, t, rules, w, at, d, strength):
        _blow_away(s, t, rules, w, cell, words[1])


@wp.func
def _break_blocks(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, power: int):
    """Break what the blast reaches, from the outermost layer of the cube inwards, the centre last."""
    middle = block_at(s, rules, w, at[0], at[1], at[2])
    if t.block[middle, BlockColumn.RESISTANCE] >= STOPS:
        return
    layer = (power * 1300) // LOSS_PER_BLOCK
    reach = layer * layer
    while layer > 0:
        dx = -layer
        while dx <= layer:
            dy = -layer
            while dy <= layer:
                hop = int(1)
                if wp.abs(dx) < layer and wp.abs(dy) < layer:
                    hop = 2 * layer
                dz = -layer
                while dz <= layer:
                    if dx * dx + dy * dy + dz * dz <= reach:
                        _try_cell(s, t, rules, w, at, wp.vec3i(dx, dy, dz), power)
                    dz += hop
                dy += 1
            dx += 1
        layer -= 1
    if middle != AIR and middle != LIT_TNT:
        _blow_away(s, t, rules, w, cell_at(s, rules, w, at[0], at[1], at[2]), wp.uint32(0))


@wp.func
def _is_free(s: VoxelState, t: Tables, rules: Rules, w: int, a: wp.vec3i, b: wp.vec3i):
    """Whether no solid block lies between two positions; looked at sixteen points of the way."""
    k = int(0)
    while k < _SAMPLES:
        # The way is at most some twenty blocks, so nothing overflows; >> rounds down on either side.
        x = a[0] + (((b[0] - a[0]) * (2 * k + 1)) >> 5)
        y = a[1] + (((b[1] - a[1]) * (2 * k + 1)) >> 5)
        z = a[2] + (((b[2] - a[2]) * (2 * k + 1)) >> 5)
        block = block_at(s, rules, w, x >> POSITION_SHIFT, y >> POSITION_SHIFT, z >> POSITION_SHIFT)
        if t.block[block, BlockColumn.SOLID] != 0:
            return False
        k += 1
    return True


@wp.func
def exposure(
    s: VoxelState, t: Tables, rules: Rules, w: int, feet: wp.vec3i, half_width: int, height: int, centre: wp.vec3i
):
    """How much of a body's box a blast sees: how many of 36 points of it (3 x 3 x 4)."""
    seen = int(0)
    k = int(0)
    while k < 36:
        x = feet[0] + (k % 3 - 1) * half_width
        y = feet[1] + ((k // 3) % 3 - 1) * half_width
        z = feet[2] + (height * (2 * (k // 9) + 1)) // 8
        seen += int(_is_free(s, t, rules, w, centre, wp.vec3i(x, y, z)))
        k += 1
    return seen


@wp.func
def impact(feet: wp.vec3i, centre: wp.vec3i, seen: int, power: int):
    """How hard a blast meets a body, 0 to 1,024: (1 - distance / (2 power)) * share seen."""
    dx = (feet[0] - centre[0]) >> _NEAR_SHIFT
    dy = (feet[1] - centre[1]) >> _NEAR_SHIFT
    dz = (feet[2] - centre[2]) >> _NEAR_SHIFT
    reach = power * 2 * 64
    if wp.max(wp.abs(dx), wp.max(wp.abs(dy), wp.abs(dz))) >= reach:
        return 0
    distance = _length(dx, dy, dz) >> _LENGTH_SHIFT
    return wp.max(((reach - distance) * IMPACT_ONE * seen) // (reach * 36), 0)


@wp.func
def blast_damage(hit: int, power: int):
    """Health points that an impact costs."""
    return (((hit * hit + hit * IMPACT_ONE) >> 11) * 7 * power) // IMPACT_ONE + 1


@wp.func
def _throw(s: VoxelState, r: int, eye: wp.vec3i, centre: wp.vec3i, hit: int):
    """Push a body away from the centre, by its eye."""
    dx = (eye[0] - centre[0]) >> _NEAR_SHIFT
    dy = (eye[1] - centre[1]) >> _NEAR_SHIFT
    dz = (eye[2] - centre[2]) >> _NEAR_SHIFT
    length = wp.max(_length(dx, dy, dz) >> _LENGTH_SHIFT, 1)
    push = hit * (VELOCITY_ONE // IMPACT_ONE)
    s.body[Body.VX, r] = s.body[Body.VX, r] + wp.sign(dx) * ((wp.abs(dx) * push) // length)
    s.body[Body.VY, r] = s.body[Body.VY, r] + wp.sign(dy) * ((wp.abs(dy) * push) // length)
    s.body[Body.VZ, r] = s.body[Body.VZ, r] + wp.sign(dz) * ((wp.abs(dz) * push) // length)
    s.body[Body.ON_GROUND, r] = 0


@wp.func
def _hurt_bodies(s: VoxelState, t: Tables, rules: Rules, w: int, centre: wp.vec3i, power: int):
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        feet = wp.vec3i(s.body[Body.X, r], s.body[Body.Y, r], s.body[Body.Z, r])
        if is_present(s, r) and impact(feet, centre, 36, power) > 0:
            hit = impact(
                feet, centre, exposure(s, t, rules, w, feet, _HALF_BOX, BODY_HEIGHT, centre), power
            )  # fmt: skip
            if hit > 0:
                hurt(s, t, r, blast_damage(hit, power), Cause.EXPLOSION, 1)
                _throw(s, r, wp.vec3i(feet[0], feet[1], feet[2] + EYE_HEIGHT), centre, hit)
        agent += 1


@wp.func
def _hurt_creatures(s: VoxelState, t: Tables, rules: Rules, w: int, centre: wp.vec3i, power: int):
    """Likewise for creatures; those that die of it leave nothing."""
    k = int(0)
    while k < s.clock[Clock.CREATURES, w]:
        kind = s.creatures[w, k, Being.KIND]
        feet = wp.vec3i(s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y], s.creatures[w, k, Being.Z])
        if t.creature[kind, CreatureColumn.TEMPER] != Temper.THING and impact(feet, centre, 36, power) > 0:
            half = t.creature[kind, CreatureColumn.HALF_WIDTH] - 64
            seen = exposure(s, t, rules, w, feet, half, t.creature[kind, CreatureColumn.HEIGHT], centre)
            hit = impact(feet, centre, seen, power)
            if hit > 0:
                wound(s, t, w, k, blast_damage(hit, power))
                s.creatures[w, k, Being.ON_GROUND] = 0
                s.creatures[w, k, Being.VZ] = s.creatures[w, k, Being.VZ] + (hit << _THROW_SHIFT)
        k += 1


@wp.func
def explode(s: VoxelState, t: Tables, rules: Rules, w: int, x: int, y: int, z: int, power: int):
    """Explode at a position, given in position units, with a whole power (TNT has 4): bodies first, then blocks."""
    _hurt_bodies(s, t, rules, w, wp.vec3i(x, y, z), power)
    _hurt_creatures(s, t, rules, w, wp.vec3i(x, y, z), power)
    at = wp.vec3i(x >> POSITION_SHIFT, y >> POSITION_SHIFT, z >> POSITION_SHIFT)
    _break_blocks(s, t, rules, w, at, power)


@wp.func
def _burn_down(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    """Explode the TNT of a fuse that has burnt down."""
    cell = s.fuse_cell[w, k]
    remove_fuse(s, w, k)
    if wp.int32(s.blocks[w, cell]) != LIT_TNT:
        return
    at = cell_position(s, rules, w, cell)
    set_block(s, t, rules, w, cell, drawn_block(s, t, rules, w, at, int(Fluid.WATER)))
    half = POSITION_ONE >> 1
    explode(
        s, t, rules, w, (at[0] << POSITION_SHIFT) + half, (at[1] << POSITION_SHIFT) + half,
        (at[2] << POSITION_SHIFT) + half, TNT_POWER,
    )  # fmt: skip


@wp.func
def burn_fuses(s: VoxelState, t: Tables, rules: Rules, w: int):
    """One tick of a world's fuses: at most one explodes, the others that are due wait for the next tick."""
    k = int(0)
    while k < s.clock[Clock.FUSE_COUNT, w]:
        if s.fuse_due[w, k] <= s.clock[Clock.TICK, w]:
            _burn_down(s, t, rules, w, k)
            return
        k += 1
