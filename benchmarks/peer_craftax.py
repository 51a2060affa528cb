"""Craftax-Classic (Matthews et al. 2024) stepped by JAX on this machine, as one JSON line; `peers.py` runs it.

    python benchmarks/peer_craftax.py symbols --levels 1024

Steps are chained on the device (``lax.scan``), actions are uniform, and one new level is made for every sixteen that
step, handed to those that ended: resets as its authors share them. ``--sharing 0`` makes none, and lets levels go on
past their end: what the rules alone cost, an upper bound. Compiling is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

NAMES = {"symbols": "Craftax-Classic-Symbolic-v1", "pixels": "Craftax-Classic-Pixels-v1"}
SHARING = 16
"""Levels that share one new level a step, as in the authors' own training."""


def stepper(kind: str, levels: int, sharing: int, steps: int) -> tuple[Any, Callable[[Any], Any]]:
    """First state, and a compiled function from one state to the one ``steps`` steps later."""
    import jax
    import jax.numpy as jnp
    from craftax.craftax_env import make_craftax_env_from_name

    env = make_craftax_env_from_name(NAMES[kind], auto_reset=False)
    rules = env.default_params
    actions = env.action_space(rules).n
    reset, step = jax.vmap(env.reset, (0, None)), jax.vmap(env.step, (0, 0, 0, None))

    def renew(key: Any, state: Any, seen: Any, done: Any) -> tuple[Any, Any]:
        fresh_seen, fresh = reset(jax.random.split(key, levels // sharing), rules)
        # Who ended takes the next new level; where more end than there are, some levels are given twice.
        taken = (jnp.cumsum(done) - 1) % (levels // sharing)

        def choose(new: Any, old: Any) -> Any:
            return jnp.where(done.reshape(-1, *[1] * (old.ndim - 1)), new[taken], old)

        return jax.tree.map(choose, fresh, state), choose(fresh_seen, seen)

    def one(carry: Any, _: Any) -> tuple[Any, Any]:
        key, state, _seen = carry
        key, chance, choice, luck = jax.random.split(key, 4)
        chosen = jax.random.randint(choice, (levels,), 0, actions)
        seen, state, reward, done, _ = step(jax.random.split(chance, levels), state, chosen, rules)
        if sharing:
            state, seen = renew(luck, state, seen, done)
        # Something of every observation is used, or the compiler may leave it out.
        return (key, state, seen), (reward.sum(), seen.sum())

    many = jax.jit(lambda carry: jax.lax.scan(one, carry, None, steps)[0], donate_argnums=0)
    key, first = jax.random.split(jax.random.PRNGKey(0))
    seen, state = jax.jit(reset, static_argnums=1)(jax.random.split(first, levels), rules)
    return (key, state, seen), many


def measure(kind: str, levels: int, sharing: int, steps: int, repeats: int) -> dict[str, Any]:
    """Median rate over some repeats of ``steps`` steps of all levels."""
    import jax

    carry, many = stepper(kind, levels, sharing, steps)
    begin = time.perf_counter()
    # The second call took tens of times as long as later ones, too: it seems to be compiled anew.
    carry = jax.block_until_ready(many(many(carry)))
    first, rates = time.perf_counter() - begin, []
    for _ in range(repeats):
        begin = time.perf_counter()
        carry = jax.block_until_ready(many(carry))
        rates.append(steps * levels / (time.perf_counter() - begin))
    facts = {"kind": kind, "levels": levels, "sharing": sharing, "first_seconds": round(first, 1)}
    return {"rate": statistics.median(rates), "spread": round(max(rates) / min(rates), 3), **facts}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(NAMES))
    parser.add_argument("--levels", type=int, default=1024)
    parser.add_argument("--sharing", type=int, default=SHARING)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.sharing and arguments.levels % arguments.sharing:
        parser.error(f"--levels: {arguments.levels} is not a multiple of {arguments.sharing}")
    print(json.dumps(measure(**vars(arguments))), flush=True)


if __name__ == "__main__":
    main()
