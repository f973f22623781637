"""PyTorch's steps as graphs of plain tensor operations, traced once.

A step through Keras' layers waits for Python: each layer's call takes 0.1 ms, and a kernel on an
accelerator some microseconds. So `TracedStep` runs the first steps as they are, records the
operations of one of them by `torch.fx`, and runs those from then on, but for what their results do
not need (see `torch_simplified`). They are the same operations in the same order, gradients and
optimizers included, so the results are the same.

What a trace cannot contain is given to the graph in each step: the batch, and the noise, which is
drawn before the step in the order in which the step draws. Two steps are traced and compared: if
Python computed something anew in between, such as random numbers of NumPy in a layer, the graphs
differ, and the steps stay as they were.
"""

import warnings

import keras
import torch

from kerasgan.backend import private, private_random
from kerasgan.backend.torch_simplified import simplify
from kerasgan.text import short

WARM_UP = 8  # Steps before the first trace, so that short trainings do not wait for one.
MOST = 4  # Shapes of batches that a step is traced for.


class Untraceable(Exception):
    """A step cannot be traced; the text says why."""


class TracedStep:
    """A step of training that becomes a graph.

    Args:
        step: A callable `step(data) -> logs`. All that it changes are the variables, in place.
        variables: A callable that returns the variables: networks, optimizers, metrics and seeds.
        compiled: Whether to compile the graph by `torch.compile`.
    """

    def __init__(self, step, variables, compiled=False):
        self.step = step
        self.variables = variables
        self.compiled = compiled
        self._graphs = {}  # By the shapes of the batch.
        self._failed = False

    def __call__(self, data):
        if self._failed:
            return self.step(data)
        leaves = [keras.ops.convert_to_tensor(x) for x in keras.tree.flatten(data) if x is not None]
        key = tuple((tuple(x.shape), x.dtype) for x in leaves)
        if key not in self._graphs:
            if len(self._graphs) == MOST:
                return self.step(data)
            self._graphs[key] = _Graph(self.step, data, self.variables, self.compiled)
        try:
            return self._graphs[key](leaves, data)
        except Untraceable as reason:
            self._failed = True
            self._graphs.clear()
            warnings.warn(
                f"steps run layer by layer, since they cannot be traced: {reason}. "
                "compile(jit_compile=False) does not try it",
                stacklevel=2,
            )
            return self.step(data)


class _Graph:
    """A step on batches of one shape."""

    def __init__(self, step, data, variables, compiled):
        self._step = step
        self._structure = keras.tree.map_structure(lambda x: x is not None, data)
        self._variables = variables
        self._compiled = compiled
        self._calls = 0
        self._tape = None  # The draws of noise of one step.
        self._trace = None
        self._run = None
        self._state = None
        self._names = None  # Of the logs.

    def __call__(self, leaves, data):
        self._calls += 1
        if self._run is not None:
            noise = self._tape.draw()
            with torch.no_grad():
                return _unflat(self._names, self._run(*self._state, *leaves, *noise))
        if self._calls < WARM_UP:
            return self._step(data)
        if self._tape is None:
            self._tape = private_random.NoiseTape()
            with private_random.noise_from(self._tape.recording()):
                return self._step(data)
        return self._trace_again(leaves)

    def _trace_again(self, leaves):
        """Take a step and trace it; a second trace that equals the first becomes the graph."""
        self._state = [variable.value for variable in self._variables()]
        before = [tensor.detach().clone() for tensor in self._state]
        try:
            logs, trace = self._traced(leaves)
            if self._trace is not None:
                _compare(self._trace, trace)
                self._run = self._ready(trace.graph)
        except Exception as error:
            with torch.no_grad():
                for tensor, value in zip(self._state, before, strict=True):
                    tensor.copy_(value)
            raise error if isinstance(error, Untraceable) else Untraceable(short(error)) from error
        self._trace = trace
        return logs

    def _traced(self, leaves):
        values = []
        first = len(self._state), len(self._state) + len(leaves)  # Of the batch, of the noise.

        def step(*tensors):  # Flat, since the graph would flatten them in each call.
            found = iter(tensors[first[0] : first[1]])
            data = keras.tree.map_structure(
                lambda given: next(found) if given else None, self._structure
            )
            with private_random.noise_from(self._tape.replaying(tensors[first[1] :])):
                logs = self._step(data)
            self._names, values[:] = _flat(logs)
            return list(values)

        noise = self._tape.draw()
        graph = private.torch_graph(step, *self._state, *leaves, *noise)
        return _unflat(self._names, [x.detach().clone() for x in values]), _Trace(graph)

    def _ready(self, graph):
        """Return the graph as a function, compiled if it is to be."""
        for node in list(graph.graph.nodes):
            if node.target is torch.ops.aten.detach.default:  # Nothing records gradients here.
                node.replace_all_uses_with(node.args[0])
                graph.graph.erase_node(node)
        simplify(graph)
        return self._compiling(graph) if self._compiled else graph.forward

    def _compiling(self, graph):
        """Return the graph compiled; where that fails, it runs as it is."""
        compiled = torch.compile(graph, fullgraph=True)

        def first(*args):
            self._run = compiled
            try:
                return compiled(*args)
            except Exception as error:
                self._run = graph.forward
                warnings.warn(
                    f"steps are traced and not compiled, since torch.compile failed: "
                    f"{short(error)}",
                    stacklevel=2,
                )
                return graph.forward(*args)

        return first


def _flat(logs):
    """Return the names and the tensors of logs, in which one of the values may be a dict."""
    pairs = []
    for name, value in logs.items():
        inside = value.items() if isinstance(value, dict) else [(None, value)]
        pairs += [((name, key), one) for key, one in inside]
    return [name for name, _ in pairs], [value for _, value in pairs]


def _unflat(names, tensors):
    logs = {}
    for (name, key), value in zip(names, tensors, strict=True):
        if key is None:
            logs[name] = value
        else:
            logs.setdefault(name, {})[key] = value
    return logs


class _Trace:
    """A graph, and copies of the constants in it as they were when it was traced."""

    def __init__(self, graph):
        self.graph = graph
        places = {node: place for place, node in enumerate(graph.graph.nodes)}
        self.nodes = [
            (
                node.op,
                "" if node.op == "get_attr" else node.target,
                torch.fx.map_arg((node.args, node.kwargs), lambda n: _Place(places[n])),
            )
            for node in graph.graph.nodes
        ]
        self.constants = [
            getattr(graph, node.target).detach().clone()
            for node in graph.graph.nodes
            if node.op == "get_attr"
        ]


class _Place(int):
    """A node in the arguments of another, by its place in the graph."""


def _compare(first, second):
    """Raise Untraceable if two traces differ, so that one of them is no trace of both steps."""
    if first.nodes != second.nodes:
        raise Untraceable("two steps were different operations")
    pairs = zip(first.constants, second.constants, strict=True)
    if not all(a.shape == b.shape and torch.equal(a, b) for a, b in pairs):
        raise Untraceable("Python computed other numbers in each of two steps")
