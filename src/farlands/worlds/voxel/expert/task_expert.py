"""The task expert: pursues whatever task its world sets, reading the whole state of the world and of the task."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from farlands.worlds.voxel.alterations import Rulebook, alter
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES, Temper
from farlands.worlds.voxel.expert import postures, wants
from farlands.worlds.voxel.expert.bans import NO_BANS
from farlands.worlds.voxel.expert.errands import Errands
from farlands.worlds.voxel.expert.gatherer import WEAK, Gatherer
from farlands.worlds.voxel.expert.hands import Doing, act
from farlands.worlds.voxel.expert.hunting import is_smitten
from farlands.worlds.voxel.expert.planner import Demand, Fetch, How, PlanError, Planner, Task, break_ticks
from farlands.worlds.voxel.expert.postures import Postures
from farlands.worlds.voxel.expert.prices import Prices
from farlands.worlds.voxel.expert.pursuit import Moment, Pursuit
from farlands.worlds.voxel.expert.shelter import HEALING_FOOD, Shelter
from farlands.worlds.voxel.expert.sources import HUNT, known_sources
from farlands.worlds.voxel.expert.standing import Account, parts_of
from farlands.worlds.voxel.expert.view import View
from farlands.worlds.voxel.expert.wants import CARRIED, MEALS, Want, wants_of
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.options import DAY
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tasks.land import LAND
from farlands.worlds.voxel.tasks.places import rules_seed
from farlands.worlds.voxel.tasks.techtree import TICKS_PER_STEP
from farlands.worlds.voxel.tasks.tree import Leaf
from farlands.worlds.voxel.world import VoxelWorld

_PATIENCE = 3
_GIVE_UP = 60
_STARVING = 5
_BEATEN, _FIT = 8, 16
"""Health points up to which it gets away from monsters, and from which it seeks them."""
_SOUND = 14
"""Health points up to which it rests, once it is weak."""
_REST = 20
_PLAIN_TOOLS = ("wooden_shovel", "wooden_sword", "wooden_axe", "wooden_pickaxe")
_WALL, _PROVISIONS = 8, 6
"""Blocks that it takes to a fight, to hide behind, and meals."""
_AFTERNOON, _SWORD_TICKS = 5_000, 3_000.0
"""Time of day from which it makes a sword for the night, and ticks that this may take."""
_AFTER_NIGHT = 1_500
"""Steps that have to be left after a night for letting it pass."""
_REACH = 5
_TOOL_BLOCKS = 150.0
"""Ticks of breaking with the bare hand that are worth a tool."""


MONSTERS = tuple(each.name for each in CREATURES if each.temper == Temper.HOSTILE)


def is_hostile(name: str) -> bool:
    """Whether a kind of creature seeks whoever it sees."""
    return name in MONSTERS


def prey_of(task: Task) -> str:
    """The kind of monster that a task of a plan is to kill; empty if none."""
    kind, _, thing = task.source.name.partition(" ") if isinstance(task, Fetch) else ("", "", "")
    return thing if kind == HUNT and is_hostile(thing) else ""


class TaskPlayer(Gatherer):
    """A scripted player of one world that pursues the task of its episode.

    Args:
        view: The whole world.
        account: How it stands with the task.
        ticks_per_step: Of the world.
        rules: Recipes, smeltings and drops to plan by.
        horizon: Steps of an episode.
    """

    def __init__(
        self, view: View, account: Account, ticks_per_step: int, rules: Rulebook, horizon: int = 10_000
    ) -> None:
        super().__init__(view, ticks_per_step, rules)
        self._horizon = horizon
        self._account = account
        crew = self._crew
        self._errands = Errands(view, crew, self._ways, self._hunter, self._fetch_block)
        self._shelter = Shelter(view, crew, self._ways)
        self._postures = Postures(view, crew, self._ways, self._errands, self._shelter, self._hunter)
        self._bans = NO_BANS
        self._breathes = True
        self._resting = False
        self._guard.may_eat = self._may_eat
        self._guard.may_breathe = lambda: self._breathes
        self._guard.eats_at = _FIT
        self._guard.free_ahead = self._ways.free_ahead
        self._guard.retreat = lambda: self._shelter.recover(_FIT, max(self._steps_left - _AFTER_NIGHT, _REST))
        self._made_planner: Planner | None = None
        self._pursuit = Pursuit(parts_of(account), Prices(view, self._postures, lambda: self._planner))

    def _pursue(self) -> Doing:
        """Moment by moment until the episode ends, or nothing comes of anything any more."""
        failed = 0
        while failed < _GIVE_UP and not self._pursuit.task.lost:
            before = int(self._account.steps[0])
            moment = self._begin_moment()
            if (yield from self._advance(moment)):
                failed = 0
            else:
                failed += 1
                self._failed = failed
                if failed % _PATIENCE == 0:
                    self._pursuit.blame(moment.root)
                    yield from self._ways.roam()
                yield from self._shake()
            if int(self._account.steps[0]) == before:
                yield from act("noop")
        return False

    def _begin_moment(self) -> Moment:
        """What is next, with bans and plans brought up to date."""
        self._made_planner = None
        moment = self._pursuit.moment()
        if (bans := self._pursuit.bans()) != self._bans:
            self._bans, self._made_planner = bans, None
        self._errands.bans = self._bans
        self._hands.spared = self._bans.untouchable(self._rules)
        self._guard.spared = self._bans.kill
        hurts = any(leaf.name == "at_most" and leaf.thing == "health" for leaf in moment.states)
        self._guard.flees_at = 0 if hurts else _BEATEN
        holds_breath = any(leaf.name == "at_most" and leaf.thing == "air" for leaf in moment.states)
        self._breathes = not holds_breath
        elsewhere = any(leaf.name in ("above", "below", "away") for leaf in moment.states)
        self._postures.apart = elsewhere or any(leaf.name == "near" for leaf in moment.avoid)
        high = [leaf.number for leaf in moment.states if leaf.name == "above"]
        self._shelter.may_dig = not any(self._view.feet[2] - number < _REACH for number in high)
        return moment

    @property
    def _planner(self) -> Planner:
        """Of the present moment; made when it is first asked for."""
        if self._made_planner is None:
            sources = known_sources(self._all, self._hunter, self._bans)
            self._made_planner = Planner(self._block_ticks(), self._rules, bans=self._bans, sources=sources)
        return self._made_planner

    def _advance(self, moment: Moment) -> Doing:
        """A piece of the way to a moment. False if it came to nothing."""
        if self._view.afloat and not self._is_at_sea(moment):
            yield from self._ways.come_ashore()
        if (self._is_weak(moment) or self._is_too_dark(moment)) and (yield from self._shelter.rest(_REST)):
            return True
        if self._view.body(Body.FOOD) <= _STARVING and (yield from self._forage()):
            return True
        if self._next_prey(moment) and (yield from self._get_fit()):
            return True
        if self._is_bare_at_dusk() and (yield from self._arm()):
            return True
        acts = [want for leaf, number in moment.events for want in wants_of(leaf, number)]
        acts = [want for want in acts if want.name != "wear" or want.things[0] not in self._all.worn]
        if acts:
            return (yield from self._act(acts))
        demands = self._postures.demands(moment.states) + self._armour(moment.states)
        tasks = self._plan_all(demands)
        if tasks:
            return (yield from self._do(tasks))
        if tasks is None and demands:
            return (yield from self._ways.roam())
        return (yield from self._arrange(moment))

    def _is_at_sea(self, moment: Moment) -> bool:
        """Whether the water is where it has to be, or on its way."""
        wet = any(leaf.name == "inside" for leaf in moment.states) or not self._breathes
        going = any(leaf.name == "visit" for leaf, _ in moment.events)
        far = any(leaf.name == "away" and not self._postures.holds(leaf) for leaf in moment.states)
        return wet or going or (far and not moment.events)

    def _is_weak(self, moment: Moment) -> bool:
        """Whether to rest until wounds have healed: from when it is serious until there is no more danger."""
        health, fed = self._view.body(Body.HEALTH), self._view.body(Body.FOOD) >= HEALING_FOOD
        self._resting = fed and (health <= WEAK or (self._resting and health < _SOUND))
        hurts = any(leaf.name == "at_most" and leaf.thing == "health" for leaf in moment.states)
        return self._resting and not hurts and not self._view.afloat

    def _is_too_dark(self, moment: Moment) -> bool:
        """Whether to let the night pass in a hole: where there is time, and the way leads over open land."""
        if not self._shelter.is_night or not self._shelter.may_dig:
            return False
        wait = (DAY - self._all.time) // TICKS_PER_STEP
        if self._steps_left <= wait + _AFTER_NIGHT:
            return False
        sleeps = "sleep" in {want.name for leaf, n in moment.events for want in wants_of(leaf, n)}
        waits = any(leaf.name in ("time", "asleep") for leaf in moment.states)
        return not sleeps and not waits and not self._next_prey(moment)

    @property
    def _steps_left(self) -> int:
        """Of the episode and of the limits that run."""
        limits = [part.steps_left for part in self._pursuit.task.walk() if part.name == "within" and part.at_work]
        return min([left for left in limits if left > 0] + [self._horizon - int(self._account.steps[0])])

    def _next_prey(self, moment: Moment) -> str:
        """The kind of monster that is to be killed next; empty if none is."""
        acts = [want for leaf, number in moment.events for want in wants_of(leaf, number)]
        if acts:
            acts = sorted(acts, key=lambda want: wants.ORDER.index(want.name))
            tasks = self._plan_all([demand for want in acts for demand in self._demands(want)])
        else:
            tasks = self._plan_all(self._postures.demands(moment.states))
        if tasks:
            return prey_of(tasks[0])
        fights = tasks == [] and acts and acts[0].name in ("kill", "shoot")
        return next((name for name in acts[0].things if is_hostile(name)), "") if fights else ""

    def _is_bare_at_dusk(self) -> bool:
        """Whether a night comes that it has no sword for, and there is time to make one."""
        soon = _AFTERNOON <= self._all.time < DAY // 2 and self._steps_left > _AFTER_NIGHT
        return soon and not any(self._view.count(name) for name in wants.WEAPONS)

    def _arm(self) -> Doing:
        """Make the best sword that takes little. False where none does."""
        for names in (wants.STRONG_WEAPONS, wants.WEAPONS):
            if self._planner.cost("|".join(names)) < _SWORD_TICKS:
                tasks = self._plan_all([Demand("|".join(names), 1)])
                return bool(tasks) and (yield from self._do(tasks))
        return False

    def _get_fit(self) -> Doing:
        """Before a fight: heal, and see that there is something to eat. False where nothing is to be done."""
        health, food = self._view.body(Body.HEALTH), self._view.body(Body.FOOD)
        if self._steps_left < _AFTER_NIGHT:
            return False
        if health < _FIT and food >= HEALING_FOOD:
            return (yield from self._shelter.rest(_REST))
        demands = [Demand("cobblestone|dirt", _WALL)]
        if (self._all.time < DAY // 2 or health < _FIT) and self._may_eat():
            demands.append(Demand("|".join(MEALS), _PROVISIONS))
        tasks = self._plan_all(demands)
        return bool(tasks) and (yield from self._do(tasks))

    def _act(self, acts: list[Want]) -> Doing:
        """A piece of what has to be done: what it takes is got first, for all of it at once where that can be."""
        acts = sorted(acts, key=lambda want: wants.ORDER.index(want.name))
        tasks = self._plan_all([demand for want in acts for demand in self._demands(want)])
        if tasks:
            return (yield from self._do(tasks))
        if tasks == []:
            return (yield from self._errands.do(acts[0]))
        for want in acts:
            tasks = self._plan_all(self._demands(want))
            if tasks:
                return (yield from self._do(tasks))
            if tasks == []:
                return (yield from self._errands.do(want))
        return (yield from self._ways.roam())

    def _arrange(self, moment: Moment) -> Doing:
        """See to the first state that does not hold."""
        for leaf in moment.undo:
            if leaf.name != "hold":
                return (yield from self._postures.undo(leaf))
        missing = [leaf for leaf in moment.states if leaf.name != "carry" and not self._postures.holds(leaf)]
        if missing:
            leaf = min(missing, key=lambda leaf: (postures.ORDER.index(leaf.name), -leaf.number))
            if (yield from self._postures.bring_about(leaf)):
                return True
            return leaf.name == "at_least" and (yield from self._forage())
        for leaf in moment.undo:
            return (yield from self._change_hand(leaf))
        yield from act("noop")
        return False

    def _change_hand(self, leaf: Leaf) -> Doing:
        """Hold something else than a tool, which has to be made if there is nothing else."""
        kind = ITEMS[ITEM_ID[leaf.thing]].tool
        if not any(tool != kind for tool in self._hands.best_tools()):
            others = [name for name in _PLAIN_TOOLS if ITEMS[ITEM_ID[name]].tool != kind]
            tasks = self._plan_all([Demand("|".join(others), 1)])
            return bool(tasks) and (yield from self._do(tasks))
        return (yield from self._postures.undo(leaf))

    def _demands(self, want: Want) -> list[Demand]:
        """What must be carried, or made, for an act."""
        if want.name == "gain" and self._is_cheaper_again(want):
            have = any(self._view.count(name) and self._errands.can_cycle(name) for name in want.things)
            return [] if have else [Demand(want.names, 1, How.GAIN)]
        if want.name == "place" and all(map(self._errands.can_cycle, want.things)):
            return [Demand(want.names, 1), *self._ground(want)]
        if want.name == "break":
            return self._break_demands(want)
        if want.name == "kill":
            return self._weapon(want)
        if want.name == "breed":
            return self._fodder(want)
        return CARRIED.get(want.name, lambda want: [])(want) + self._ground(want)

    def _weapon(self, want: Want) -> list[Demand]:
        """A sword for monsters, as good a one as may be had."""
        demands = CARRIED["kill"](want)
        strong = "|".join(wants.STRONG_WEAPONS)
        if demands and math.isfinite(self._planner.cost(strong)):
            return [Demand(strong, 1)]
        return [demand for demand in demands if math.isfinite(self._planner.cost(demand.names))]

    def _fodder(self, want: Want) -> list[Demand]:
        """Food for two, or for the mate of one that has been fed and will not wait for long."""
        for name in want.things:
            fed = self._hunter.count(name, is_smitten)
            if fed:
                return [Demand(CREATURES[CREATURE_ID[name] - 1].food, 1)] if fed == 1 else []
        return CARRIED["breed"](want)

    def _ground(self, want: Want) -> list[Demand]:
        """A hoe, for what stands on tilled ground."""
        sows = want.name == "place" and want.things == ("wheat_seeds",)
        return [Demand("|".join(wants.HOES), 1)] if sows else []

    def _is_cheaper_again(self, want: Want) -> bool:
        """Whether putting one up and taking it back is quicker than finding another."""
        again = all(self._errands.can_cycle(name) for name in want.things) and "wheat_seeds" not in want.things
        return again and min(self._planner.cost(name) for name in want.things) > _TOOL_BLOCKS

    def _break_demands(self, want: Want) -> list[Demand]:
        blocks = [self._rules.blocks[BLOCK_ID[name]] for name in want.things]
        found = []
        window = self._view.window()
        grown = any(name in LAND for name in want.things) and (
            np.isin(window, [BLOCK_ID[block.name] for block in blocks]).any()
            or not any(name in ITEM_ID for name in want.things)
        )  # fmt: skip
        if not grown and not any(name in LAND for name in want.things):
            found.append(Demand(want.names, 1))
        slow = min(break_ticks(self._hands.tool_for(block.name), block) for block in blocks) * want.number
        under = any(block.tier for block in blocks)
        if under and (slow > _TOOL_BLOCKS or not math.isfinite(slow)):
            tools = [name for name in ("wooden_pickaxe", "stone_pickaxe") if name not in self._bans.gain]
            if tools and blocks[0].tool.name == "PICKAXE":
                found.append(Demand("|".join((*tools, "iron_pickaxe", "diamond_pickaxe")), 1))
        return found

    def _armour(self, states: Iterable[Leaf]) -> list[Demand]:
        """The cheapest pieces that make up for the points of armour that are missing."""
        points = max((leaf.number for leaf in states if leaf.name == "at_least" and leaf.thing == "armour"), default=0)
        if points <= self._postures.vital("armour"):
            return []

        def cost(name: str) -> float:
            return 0.0 if self._view.count(name) else self._planner.cost(name)

        return [Demand(name, 1) for name in wants.armour_for(points, self._all.worn, cost)]

    def _plan_all(self, demands: list[Demand]) -> list[Task] | None:
        """Tasks to what is demanded, none if all is there; None if there is no way."""
        if not demands:
            return []
        stations = frozenset(name for name in ("crafting_table", "furnace") if self._view.station_near(name))
        try:
            return self._planner.plan_all(demands, self._view.carried(), near=stations, spare=self.spare)
        except PlanError:
            return None

    def _forage(self) -> Doing:
        """Get something to eat; eating it is the guard's business."""
        if any(self._view.count(name) for name in MEALS) or not self._may_eat():
            return False
        tasks = self._plan_all([Demand("|".join(MEALS), 2)])
        return bool(tasks) and (yield from self._do(tasks))

    def _may_eat(self) -> bool:
        """Whether eating is no harm to the task."""
        if "eat" in self._bans.events or any(self._view.count(name) for name in self._bans.eat):
            return False
        leaves = [part.task for part in self._pursuit.task.walk() if isinstance(part.task, Leaf)]
        kept = {leaf.thing for leaf in leaves}
        kept |= {CREATURES[CREATURE_ID[each.thing] - 1].food for each in leaves if each.name == "breed"}
        return self._view.body(Body.FOOD) <= _STARVING or not any(self._view.count(n) for n in MEALS if n in kept)


class TaskExpert(TaskPlayer):
    """The task expert of one world of a batch.

    Args:
        world: Worlds on the CPU with ``flat`` actions and tasks, one agent each.
        index: Which world to play.

    Raises:
        ValueError: The worlds are not on the CPU or their actions are not flat.
    """

    def __init__(self, world: VoxelWorld, index: int = 0) -> None:
        if world.options.actions != "flat":
            raise ValueError(f"actions {world.options.actions!r}: the expert plays flat actions")
        rules = alter(rules_seed(world.options))
        options = world.options
        super().__init__(
            View(world, index), Account.of(world, index), options.ticks_per_step, rules, options.horizon
        )  # fmt: skip
