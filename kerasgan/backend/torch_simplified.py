"""What a traced step of PyTorch need not compute.

A trace has each operation that ran, also those whose result is known before: zeros that autograd
makes where a second derivative vanishes, and all that is computed from them; numbers made of
constants; the same view of a weight for each image it sees. `simplify` removes them. What is left
computes the same values, as long as these are finite: zero times infinity is taken for zero where
zeros came from a derivative, and the sign of a zero may change.
"""

import operator

import torch

from kerasgan.backend import private

aten = torch.ops.aten
SMALL = 4096  # Numbers in a constant that is kept instead of computed.
# These write into running statistics, which their schemas do not say.
_BATCH_NORMS = {aten.native_batch_norm.default, aten.cudnn_batch_norm.default}
_FILLED = {
    aten.zeros_like.default: 0,
    aten.ones_like.default: 1,
    aten.zeros.default: 0,
    aten.ones.default: 1,
}
# Of zeros they make zeros: those of the first argument alone, and those of any.
_LINEAR = {
    getattr(aten, name).default
    for name in (
        "leaky_relu_backward", "threshold_backward", "tanh_backward", "sigmoid_backward",
        "sum", "neg", "clone", "_to_copy", "_unsafe_view",
    )
} | {aten.sum.dim_IntList, aten.mean.dim, aten.mul.Scalar, aten.div.Scalar}  # fmt: skip
# Not those of single numbers, which may be anything that a step divides by.
_PRODUCTS = {aten.mm.default, aten.bmm.default}


def simplify(module):
    """Remove from a traced `torch.fx.GraphModule` what its results do not need."""
    _drop_zeros(module)
    _keep_constants(module)
    _share_views(module)
    module.graph.eliminate_dead_code(_has_effects)
    module.recompile()


def _has_effects(node):
    if node.op in ("placeholder", "output"):
        return True
    return node.op == "call_function" and (_writes(node) or _draws(node))


def _draws(node):
    """Return whether an operation draws random numbers, which moves on a generator."""
    return torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())


def _writes(node):
    schema = private.torch_schema(node.target)
    return node.target in _BATCH_NORMS or (schema is not None and schema.is_mutable)


def _is_view(node):
    schema = private.torch_schema(node.target)
    if schema is None or _writes(node):
        return False
    return any(result.alias_info is not None for result in schema.returns)


def _written(graph):
    """Return the nodes whose memory an operation writes, by whichever view of it."""
    root = {}
    for node in graph.nodes:
        inside = node.target is operator.getitem or _is_view(node)
        origin = node.all_input_nodes[0] if inside and node.all_input_nodes else node
        root[node] = root.get(origin, node)
    writers = (n for n in graph.nodes if n.op == "call_function" and _writes(n))
    roots = {root[read] for node in writers for read in (node, *node.all_input_nodes)}
    return {node for node, origin in root.items() if origin in roots}


def _meta(node):
    """Return the shape, strides and dtype of a node's tensor, or None."""
    found = node.meta.get("tensor_meta")
    return found if hasattr(found, "shape") else None


# Zeros.


def _drop_zeros(module):
    """Follow zeros through the graph, and leave out what is added to them or computed from them."""
    written = _written(module.graph)
    zero = set()
    for node in list(module.graph.nodes):
        if node.op != "call_function" or node in written or _writes(node):
            continue
        args = node.args
        if node.target is aten.add.Tensor and not node.kwargs and all(map(_is_node, args)):
            for one, other in (args, args[::-1]):
                if one in zero and other in zero:
                    zero.add(node)
                elif one in zero and other not in written and _alike(node, other):
                    node.replace_all_uses_with(other)
        elif _is_zero(node, zero):
            zero.add(node)


def _is_node(argument):
    return isinstance(argument, torch.fx.Node)


def _alike(node, other):
    """Return whether two nodes' tensors lie in memory alike, which the step's end relies on."""
    a, b = _meta(node), _meta(other)
    if a is None or b is None or (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    return all(x == y or n == 1 for n, x, y in zip(a.shape, a.stride, b.stride, strict=True))


def _is_zero(node, zero):
    target, args = node.target, node.args
    if target in _FILLED:
        return _FILLED[target] == 0
    if target is operator.getitem:  # Gradients of an operation, of which the first is zero.
        return args[0] in zero
    if target in (aten.convolution_backward.default, aten.native_batch_norm_backward.default):
        return args[0] in zero
    if target in _LINEAR or _is_view(node):
        return bool(args) and _is_node(args[0]) and args[0] in zero
    return target in _PRODUCTS and any(_is_node(a) and a in zero for a in args)


# Constants.


def _keep_constants(module):
    """Compute once what depends on constants alone, where it is small."""
    graph, written = module.graph, _written(module.graph)
    values = {}
    for node in graph.nodes:
        if node in written:
            continue
        if node.op != "call_function":
            continue
        if node.target is aten.lift_fresh_copy.default and node.args[0].op == "get_attr":
            # A number in the code. Other tensors from outside may change between two steps.
            found = getattr(module, node.args[0].target)
        else:
            found = _value(node, values)
        if isinstance(found, torch.Tensor) and found.numel() <= SMALL:
            values[node] = found
    for number, (node, value) in enumerate(values.items()):
        if all(user in values for user in node.users):
            continue
        name = f"_kept{number}"
        module.register_buffer(name, value.detach(), persistent=False)
        with graph.inserting_before(node):
            kept = graph.get_attr(name)
        node.replace_all_uses_with(kept)


def _value(node, values):
    """Return what an operation on constants computes, or None if it is none."""
    if _writes(node) or _draws(node):
        return None
    meta = _meta(node)
    if meta is None or meta.shape.numel() > SMALL:
        return None
    if node.target in _FILLED:
        device = node.meta["val"].device
        found = torch.empty_strided(meta.shape, meta.stride, dtype=meta.dtype, device=device)
        return found.fill_(_FILLED[node.target])
    if not node.all_input_nodes or any(read not in values for read in node.all_input_nodes):
        return None
    args, kwargs = torch.fx.map_arg((node.args, node.kwargs), values.__getitem__)
    with torch.no_grad():
        return node.target(*args, **kwargs)


# Views.


def _share_views(module):
    """Let equal views of one tensor be one."""
    known = {}
    for node in list(module.graph.nodes):
        if node.op != "call_function" or not _is_view(node):
            continue
        key = node.target, node.args, tuple(sorted(node.kwargs.items()))
        try:
            first = known.setdefault(key, node)
        except TypeError:  # A list among the arguments.
            first = known.setdefault(repr(key), node)
        if first is not node:
            node.replace_all_uses_with(first)
