"""State of optimisers by parameter name, in and out, as checkpoints keep it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.optim import Optimizer


def optimiser_state(optimiser: Optimizer, parameters: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Copies of the moments of each named parameter; empty before the first step."""
    return {
        name: {moment: held.clone() for moment, held in optimiser.state.get(value, {}).items()}
        for name, value in parameters.items()
    }


def load_optimiser_state(
    optimiser: Optimizer, parameters: Mapping[str, Tensor], state: Mapping[str, Mapping[str, Tensor]]
) -> None:
    """Put an ``optimiser_state`` back.

    Raises:
        ValueError: It is of other parameters, or of other shapes; nothing has changed then.
    """
    # A parameter without moments may have left no trace in a file.
    unknown = set(state) - set(parameters)
    if unknown:
        raise ValueError(f"the optimiser's state is of {sorted(unknown)}; expected {sorted(parameters)}")
    for name, moments in state.items():
        for moment, held in moments.items():
            if moment != "step" and held.shape != parameters[name].shape:
                found, expected = tuple(held.shape), tuple(parameters[name].shape)
                raise ValueError(f"{moment} of {name} has shape {found}; expected {expected}")
    optimiser.state.clear()
    for name, moments in state.items():
        if moments:
            device = parameters[name].device
            optimiser.state[parameters[name]] = {key: held.to(device, copy=True) for key, held in moments.items()}
