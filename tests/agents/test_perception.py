import math

import numpy as np
import pytest
import torch

from farlands.agents import AgentConfig
from farlands.agents.inputs import BLOCK, input_linear, make_parts
from farlands.agents.perception import PatchEncoder, Picture, is_image, make_perception
from farlands.worlds.world import ArraySpec

BITS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 1))
SPEC = {
    "cube": ArraySpec((2, 3, 3), "uint8", 0, 3, class_bits=BITS),
    "target": ArraySpec((), "uint8", 0, 3, class_bits=BITS),
    "tool": ArraySpec((1,), "uint8", 0, 2, categories=("none", "pick", "axe")),
    "counts": ArraySpec((5,), "int16", 0, 64),
    "vitals": ArraySpec((4,), "uint8", 0, 20),
    "heading": ArraySpec((), "float32", -math.pi, math.pi),
    "speed": ArraySpec((2,), "float32", -math.inf, math.inf),
    "action_mask": ArraySpec((3,), "uint8", 0, 1),
}


def observe(rows: int) -> dict[str, torch.Tensor]:
    ids = {key: torch.randint(0, 4, (rows, *SPEC[key].shape), dtype=torch.uint8) for key in ("cube", "target")}
    return {
        **ids,
        "tool": torch.randint(0, 3, (rows, 1), dtype=torch.uint8),
        "counts": torch.randint(0, 65, (rows, 5), dtype=torch.int16),
        "vitals": torch.randint(0, 21, (rows, 4), dtype=torch.uint8),
        "heading": torch.rand(rows) * 6 - 3,
        "speed": torch.randn(rows, 2) * 100,
        "action_mask": torch.ones(rows, 3, dtype=torch.uint8),
    }


def slow_expand(observation: dict[str, torch.Tensor], row: int) -> list[float]:
    """What the network should read, from the documented rules."""
    seen = {key: np.asarray(value[row]).reshape(-1) for key, value in observation.items()}
    expanded = [bit for key in ("cube", "target") for block in seen[key] for bit in BITS[block]]
    expanded += [float(tool == seen["tool"][0]) for tool in range(3)]
    expanded += [math.log2(1 + count) / 2 for count in seen["counts"]]
    expanded += [math.copysign(math.log(1 + abs(speed)), speed) for speed in seen["speed"]]
    expanded += [vital / 20 for vital in seen["vitals"]]
    return [*expanded, (seen["heading"][0] + math.pi) / (2 * math.pi)]


@pytest.mark.parametrize("rows", [3, BLOCK - 1, 2 * BLOCK + 5])
def test_first_layer_equals_slow_expansion(rows):
    parts = make_parts({key: array for key, array in SPEC.items() if key != "action_mask"})
    observation = observe(rows)
    exact = torch.tensor([slow_expand(observation, row) for row in range(rows)], dtype=torch.float64)
    size = exact.shape[1]
    assert sum(part.size for part in parts) == size
    weight = torch.randn(7, size, requires_grad=True)
    bias = torch.randn(7, requires_grad=True)
    out = input_linear(parts, observation, rows, weight, bias)
    wanted = torch.nn.functional.linear(exact, weight.double(), bias.double())
    assert torch.allclose(out.double(), wanted, atol=1e-3)
    upstream = torch.randn(rows, 7)
    ours = torch.autograd.grad((out * upstream).sum(), (weight, bias))
    for found, expected in zip(ours, torch.autograd.grad((wanted * upstream).sum(), (weight, bias)), strict=True):
        assert torch.allclose(found, expected, atol=1e-2, rtol=1e-4)
    with torch.no_grad():
        assert torch.allclose(input_linear(parts, observation, rows, weight, bias), out, atol=1e-4)


def test_mask_is_never_seen():
    perception = make_perception(SPEC, AgentConfig(hidden=16))
    observation = observe(6)
    before = perception(observation)
    assert torch.equal(perception({**observation, "action_mask": torch.zeros(6, 3)}), before)
    changed = observation["vitals"].clone()
    changed[:, 0] = 20 - changed[:, 0].clamp(max=9)
    assert not torch.equal(perception({**observation, "vitals": changed}), before)


def test_any_leading_shape():
    perception = make_perception(SPEC, AgentConfig(hidden=16))
    observation = observe(12)
    whole = perception(observation)
    assert whole.shape == (12, 16)
    folded = perception({key: value.unflatten(0, (3, 4)) for key, value in observation.items()})
    assert torch.allclose(folded.flatten(0, 1), whole, atol=1e-5)


def test_scalar_key_alone():
    spec = {"level": ArraySpec((), "uint8", 0, 9)}
    perception = make_perception(spec, AgentConfig(hidden=8))
    assert perception({"level": torch.zeros(2, 5, dtype=torch.uint8)}).shape == (2, 5, 8)


def test_nothing_to_see():
    with pytest.raises(ValueError, match="something to see"):
        make_perception({"action_mask": SPEC["action_mask"]}, AgentConfig())


def test_what_is_an_image():
    assert is_image(ArraySpec((64, 64, 3), "uint8", 0, 255))
    assert is_image(ArraySpec((20, 30), "uint8", 0, 255))
    assert is_image(ArraySpec((64, 64), "uint8", 0, 3, class_bits=BITS))
    assert not is_image(ArraySpec((20, 20, 20), "uint8", 0, 3, class_bits=BITS))
    assert not is_image(ArraySpec((9, 9, 3), "uint8", 0, 255))
    assert not is_image(ArraySpec((75,), "int16", 0, 64))


def test_patches_are_read_where_they_are():
    array = ArraySpec((20, 33, 3), "uint8", 0, 255)
    encoder = PatchEncoder(array, AgentConfig(hidden=16, patch=8, patch_layers=0))
    seen = []
    encoder.read.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    image = torch.randint(0, 256, (2, 20, 33, 3), dtype=torch.uint8)
    assert encoder(image).shape == (2, 16)
    patches = seen[0].view(2, 3, 5, 8, 8, 3)
    assert torch.equal(patches[:, 1, 2], image[:, 8:16, 16:24].float())
    assert torch.equal(patches[:, 0, 4, :, :1], image[:, :8, 32:33].float())
    assert (patches[:, 2, :, 4:] == 0).all()


def in_patches(image, side):
    """``[N, H, W, C]`` as ``[N, P, side, side, C]``."""
    count, height, width, channels = image.shape
    cut = image.view(count, height // side, side, width // side, side, channels).transpose(2, 3)
    return cut.reshape(count, -1, side, side, channels)


@pytest.mark.parametrize("side", [8, 4])
def test_pictures_stored_in_patches_are_seen_alike(side):
    """Where they are stored as they are read nothing is copied; where not, they are put together first."""
    config = AgentConfig(hidden=16, patch=8, patch_layers=1)
    torch.manual_seed(0)
    rows = PatchEncoder(ArraySpec((16, 24, 3), "uint8", 0, 255), config)
    array = ArraySpec((16 * 24 // side**2, side, side, 3), "uint8", 0, 255, grid=(16 // side, 24 // side))
    patches = PatchEncoder(array, config)
    patches.load_state_dict(rows.state_dict())
    image = torch.randint(0, 256, (5, 16, 24, 3), dtype=torch.uint8)
    assert patches.stored == (side == 8)
    assert is_image(array)
    assert torch.equal(patches(in_patches(image, side)), rows(image))
    assert torch.equal(Picture(array)(in_patches(image, side)), image)


@pytest.mark.parametrize(("names", "bits"), [(("a", "b", "c", "d", "e"), ()), (("a", "b", "c", "d"), BITS)])
def test_planes_of_ids_become_bits(names, bits):
    picture = Picture(ArraySpec((16, 17), "uint8", 0, len(names) - 1, categories=names, class_bits=bits))
    ids = torch.randint(0, len(names), (3, 16, 17), dtype=torch.uint8)
    seen = picture(ids)
    assert seen.shape == (3, 16, 17, 3)
    if bits:
        assert torch.equal(seen, torch.tensor(bits, dtype=torch.uint8)[ids.long()])
    else:
        assert torch.equal((seen * torch.tensor([1, 2, 4], dtype=torch.uint8)).sum(-1).byte(), ids)


def test_images_and_numbers_together():
    spec = {"pixels": ArraySpec((64, 64, 3), "uint8", 0, 255), "vitals": SPEC["vitals"]}
    perception = make_perception(spec, AgentConfig(hidden=32))
    observation = {
        "pixels": torch.randint(0, 256, (4, 2, 64, 64, 3), dtype=torch.uint8),
        "vitals": torch.randint(0, 21, (4, 2, 4), dtype=torch.uint8),
    }
    features = perception(observation)
    assert features.shape == (4, 2, 32)
    features.square().mean().backward()
    assert all(torch.isfinite(value.grad).all() and value.grad.any() for value in perception.parameters())
