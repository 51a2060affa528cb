"""Steps that leave out gradients that are not finite; state of optimisers by parameter name, as checkpoints keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer


class FlatGradients:
    """The gradients of parameters, side by side in one tensor for each dtype, so that they are added up in one go.

    Args:
        parameters: On one device; the ``grad`` of those that are trained is a view from now on.

    Attributes:
        flats: ``[N]`` each, gradients in the parameters' order.
    """

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        trained = [each for each in parameters if each.requires_grad]
        groups = [[each for each in trained if each.dtype == dtype] for dtype in {each.dtype: None for each in trained}]
        self.flats = [torch.cat([torch.zeros_like(each).flatten() for each in group]) for group in groups]
        self._views = [
            (each, view.view_as(each))
            for group, flat in zip(groups, self.flats, strict=True)
            for each, view in zip(group, flat.split([each.numel() for each in group]), strict=True)
        ]

    def clear(self) -> None:
        """Before a backward pass: zero every gradient, and put back views that something else has replaced."""
        for flat in self.flats:
            flat.zero_()
        for parameter, view in self._views:
            parameter.grad = view


def step_if_finite(optimiser: Optimizer, norm: Tensor) -> Tensor:
    """Take a step, or leave parameters, moments and their counts exactly as they are where the gradient is not finite.

    The decision stays on the device: fused optimisers read it from ``found_inf``, as they do for loss scaling
    (Micikevicius et al. 2018), so that nothing waits and the step can be captured in a graph.

    Args:
        optimiser: Fused.
        norm: 0-dimensional; the norm of all gradients together, finite only if each of them is.

    Returns:
        float32, 0-dimensional: 1 where the step was left out.

    Raises:
        ValueError: The optimiser is not fused and would not look.
    """
    if not all(group.get("fused") for group in optimiser.param_groups):
        raise ValueError(f"{type(optimiser).__name__} is not fused; only fused optimisers can leave a step out")
    skipped = (~norm.detach().isfinite()).to(torch.float32)
    optimiser.found_inf = skipped  # type: ignore[attr-defined]
    optimiser.step()
    return skipped


def gradient_norm(parameters: Iterable[Tensor]) -> Tensor:
    """The largest element of all gradients, 0-dimensional; finite only if each of them is."""
    gradients = [each.grad for each in parameters if each.grad is not None and each.numel()]
    return torch.nn.utils.get_total_norm(gradients, float("inf"))


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
