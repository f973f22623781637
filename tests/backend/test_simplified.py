"""What is left out of a trace changes no value."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "torch":
    pytest.skip("traces are PyTorch's", allow_module_level=True)

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from kerasgan.backend.torch_simplified import simplify

aten = torch.ops.aten


def simplified(fn, *args):
    """Return the operations that are left of a function, which must still do the same."""
    before = [arg.clone() for arg in args]
    module = make_fx(fn)(*[arg.clone() for arg in args])
    simplify(module)
    for _ in range(2):  # What is kept must stay what it is.
        mine, its = ([arg.clone() for arg in before] for _ in range(2))
        expected, found = fn(*mine), module(*its)
        for a, b in zip([*expected, *mine], [*found, *its], strict=True):
            assert a.shape == b.shape and torch.equal(a, b)
    return [node.target for node in module.graph.nodes if node.op == "call_function"]


def random(*shape):
    return torch.tensor(np.random.default_rng(0).standard_normal(shape).astype("float32"))


def test_second_derivatives_that_vanish_are_not_computed():
    def penalty(x, w, v):
        x, w, v = (t.detach().requires_grad_() for t in (x, w, v))
        y = torch.nn.functional.conv2d(x, w, padding=1)
        y = torch.nn.functional.conv2d(torch.nn.functional.leaky_relu(y, 0.2), v, padding=1)
        y = torch.nn.functional.leaky_relu(y, 0.2)
        (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return torch.autograd.grad((g**2).sum(), [w, v])

    args = random(2, 3, 8, 8), random(4, 3, 3, 3), random(5, 4, 3, 3)
    found = simplified(penalty, *args)
    raw = make_fx(penalty)(*args).graph.nodes
    backward = aten.convolution_backward.default
    assert found.count(backward) < [n.target for n in raw].count(backward)
    assert aten.zeros_like.default not in found


def test_constants_are_computed_once():
    def fn(x):
        ones = torch.ones_like(x.sum()).expand(3) * 10 / 3
        return [x * ones.sum(), x + torch.tensor(2.0)]

    found = simplified(fn, random(4))
    assert aten.ones_like.default not in found and aten.div.Tensor not in found
    assert len(found) <= 4


def test_a_large_constant_is_not_kept():
    found = simplified(lambda x: [x + torch.ones_like(x)], random(100, 100))
    assert aten.ones_like.default in found


def test_equal_views_are_one():
    def fn(x, w):
        return [x @ w.t(), x @ (2 * w.t()), torch.relu(x) @ w.t()]

    found = simplified(fn, random(2, 3), random(4, 3))
    assert found.count(aten.t.default) == 1


def test_what_is_written_is_neither_kept_nor_shared():
    def fn(x, w):
        buffer = torch.zeros(3)
        before = w * 1.0
        buffer += x
        view = w.view(3)
        w.add_(x)
        total = torch.zeros(3) + buffer  # Zeros that are added to what was written.
        return [buffer, before, w * 1.0, view * 2.0, total]

    simplified(fn, random(3), random(3))


def test_running_statistics_are_written():
    def fn(x):
        mean, variance = torch.zeros((2, 3))
        y = torch.nn.functional.batch_norm(x, mean, variance, training=True, momentum=1.0)
        return [y, mean * 1.0, variance * 1.0]

    simplified(fn, random(4, 3))


def test_a_tensor_from_outside_may_change():
    outside = torch.tensor(2.0)

    def fn(x):
        return [x * torch.sqrt(outside), x + outside]

    module = make_fx(fn)(random(2))
    simplify(module)
    outside.fill_(9.0)
    for a, b in zip(fn(random(2)), module(random(2)), strict=True):
        assert torch.equal(a, b)


def test_constants_keep_their_strides():
    def fn(x):
        c = torch.ones_like(x.t()) * torch.arange(3.0)[:, None]
        return [torch.as_strided(c, (6,), (1,)) * x.sum(), c.t().reshape(-1) + x.sum()]

    simplified(fn, random(2, 3))


def test_random_numbers_that_are_not_used_are_drawn_too():
    def fn(x):
        torch.rand_like(x)
        return [x + torch.rand_like(x)]

    module = make_fx(fn)(random(2))
    simplify(module)
    torch.manual_seed(0)
    expected = fn(random(2))[0]
    torch.manual_seed(0)
    assert torch.equal(module(random(2))[0], expected)


def test_random_numbers_are_drawn_anew():
    module = make_fx(lambda x: [x + torch.rand(2), x + torch.rand(2)])(random(2))
    simplify(module)
    first, second = module(torch.zeros(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first, module(torch.zeros(2))[0])


def test_zero_times_infinity_is_no_zero():
    def fn(x, y):
        return [torch.zeros_like(x) * x, torch.zeros_like(y) / y]

    module = make_fx(fn)(random(2), random(2))
    simplify(module)
    product, quotient = module(torch.full((2,), torch.inf), torch.zeros(2))
    assert torch.isnan(product).all() and torch.isnan(quotient).all()
