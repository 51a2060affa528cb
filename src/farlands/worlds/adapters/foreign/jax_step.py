"""The compiled functions of a ``JaxWorld``. Imports JAX: import it only when a world is made.

Axis letters: W worlds; N achievements; C levels made at once; L log entries.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import lax

if TYPE_CHECKING:
    from farlands.worlds.adapters.foreign.jax_world import JaxEnv

_DERIVED = 0x7FFFFFFF
"""Of a derived seed's high half: levels whose seed has the top bit set are met only by asking for them."""


@functools.lru_cache(maxsize=8)
def make_functions(env: JaxEnv, num_worlds: int, resets: int, capacity: int) -> tuple[Callable, Callable, Callable]:
    """The functions that a world consists of; the same for the same arguments, which saves compiling them again.

    Args:
        env: What to map over rows.
        num_worlds: W.
        resets: C.
        capacity: L; the slot behind it takes what does not fit.

    Returns:
        ``begin(streams uint32 [W, 2]) -> (state, observation)``; ``advance(state, actions) -> (state, observation,
        last observation, reward float32 [W], terminated bool [W], truncated bool [W])``; and ``observe(state["env"]) ->
        observation``.
    """
    spec = env.spec
    rows = jnp.arange(num_worlds)
    observe = jax.vmap(env.observe)

    def renew(ended: Any, seeds: Any, states: Any, seen: Any) -> tuple[Any, Any]:
        """New episodes in the rows that ended, C at a time."""
        count = ended.sum()
        # Rows that ended first; behind them one that does not exist, which is dropped.
        order = jnp.where(jnp.arange(num_worlds) < count, jnp.argsort(~ended, stable=True), num_worlds)
        order = jnp.concatenate((order, jnp.full(resets, num_worlds)))

        def some(carry: Any) -> Any:
            done, states, seen = carry
            chosen = lax.dynamic_slice(order, (done,), (resets,))
            fresh = jax.vmap(env.reset)(seeds[jnp.minimum(chosen, num_worlds - 1)])

            def put(old: Any, new: Any) -> Any:
                return old.at[chosen].set(new.astype(old.dtype), mode="drop")

            states = jax.tree.map(put, states, fresh)
            return done + resets, states, jax.tree.map(put, seen, observe(fresh))

        return lax.while_loop(lambda carry: carry[0] < count, some, (0, states, seen))[1:]

    def begin(stream: Any) -> tuple[Any, Any]:
        blank = jax.tree.map(
            lambda leaf: jnp.zeros((num_worlds, *leaf.shape), leaf.dtype), jax.eval_shape(env.reset, stream[0])
        )
        everyone = jnp.ones(num_worlds, bool)
        states, seen = renew(everyone, stream, blank, observe(blank))
        zeros = jnp.zeros(num_worlds, jnp.int32)
        features = len(spec.achievements)
        state = {
            "env": states,
            "stream": stream,
            "episode": zeros,
            "time": zeros,
            "total": jnp.zeros(num_worlds, jnp.float32),
            "unlocked": jnp.full((num_worlds, features), -1, jnp.int32),
            "log": jnp.zeros((capacity + 1, 5 + features), jnp.int32),
            "log_reward": jnp.zeros(capacity + 1, jnp.float32),
            "logged": jnp.zeros((), jnp.int32),
        }
        return state, seen

    def advance(state: Any, actions: Any) -> tuple[Any, ...]:
        seeds = jax.vmap(_seed)(state["stream"], state["episode"])
        time = state["time"] + 1
        keys = jax.vmap(jax.random.fold_in)(seeds, time)
        stepped = jax.vmap(env.step)(keys, state["env"], _clean(actions, spec))
        states, reward, terminated, truncated = stepped
        truncated = truncated & ~terminated
        ended = terminated | truncated
        reward = reward.astype(jnp.float32)
        total = state["total"] + reward
        new = jax.vmap(env.achieved)(states) & (state["unlocked"] < 0)
        unlocked = jnp.where(new, time[:, None], state["unlocked"])
        # Rows that did not end, or no longer fit, are written to the spare slot behind the log.
        slot = jnp.where(ended, state["logged"] + jnp.cumsum(ended) - 1, capacity)
        entry = jnp.stack((rows, *seeds.view(jnp.int32).T, time, (~terminated).astype(jnp.int32)), axis=1)
        entry = jnp.concatenate((entry, unlocked), axis=1)
        last = observe(states)
        episode = state["episode"] + ended
        states, seen = renew(ended, jax.vmap(_seed)(state["stream"], episode), states, last)
        after = {
            "env": states,
            "stream": state["stream"],
            "episode": episode,
            "time": jnp.where(ended, 0, time),
            "total": jnp.where(ended, 0.0, total),
            "unlocked": jnp.where(ended[:, None], -1, unlocked),
            "log": state["log"].at[jnp.minimum(slot, capacity)].set(entry),
            "log_reward": state["log_reward"].at[jnp.minimum(slot, capacity)].set(total),
            "logged": state["logged"] + ended.sum(),
        }
        return after, seen, last, reward, terminated, truncated

    return jax.jit(begin), jax.jit(advance), jax.jit(observe)


def _seed(stream: Any, episode: Any) -> Any:
    """Seed of an episode, uint32 ``[2]``, high half first: of the first the stream itself, later ones derive."""
    derived = jax.random.fold_in(stream, episode)
    return jnp.where(episode == 0, stream, derived.at[0].set(derived[0] & _DERIVED))


def _clean(actions: Any, spec: Any) -> Any:
    """Choices that do not exist become choice 0; numbers are clipped into their bounds."""
    most = getattr(spec.action, "n", None) or getattr(spec.action, "nvec", None)
    if most is None:
        return jnp.clip(jnp.nan_to_num(actions), jnp.array(spec.action.low), jnp.array(spec.action.high))
    return jnp.where((actions >= 0) & (actions < jnp.array(most)), actions, 0)
