"""The networks of R3GAN's authors as an `R3GAN`."""

import numpy as np

from kerasgan import gans, networks, sizes
from kerasgan.convert.pickles import ConversionError
from kerasgan.convert.tensors import assign
from kerasgan.networks.residual_parts import features_by_size

_FILTER = np.array([1, 3, 3, 1]) / 8  # That of bilinear resampling, along one side.


def r3gan(saved):
    """Return the model of networks that were saved.

    Args:
        saved: What `kerasgan.convert.read` returns.

    Raises:
        ConversionError: If they have parts that ours have not.
    """
    best = saved.get("G_ema", saved.get("G"))
    raw, critic = saved.get("G", best), saved.get("D")
    arguments = _of_generator(best)
    if _of_generator(raw) != arguments:
        raise ConversionError("`G` and `G_ema` must be of one kind. Received: two")
    shared = {name: value for name, value in arguments.items() if name != "latent_dim"}
    if critic is not None and _of_critic(critic) != shared:
        raise ConversionError(
            f"`D` must be the counterpart of `G`, with {shared}. Received: {_of_critic(critic)}"
        )
    generator, own = networks.R3GANGenerator(**arguments), networks.R3GANCritic(**shared)
    model = gans.R3GAN(generator, own)
    _fill(model.generator, _generator_weights(raw))
    _fill(model.ema_generator, _generator_weights(best))
    if critic is not None:
        _fill(model.critic, _critic_weights(critic))
    return model


def _of_generator(saved):
    """Return the arguments of our generator."""
    model = saved.parts["Model"]
    stages = _stages(model)
    classes = saved.arguments.get("c_dim", 0)
    latent = saved.arguments["z_dim"]
    embedded = len(model.parts["EmbeddingLayer"].tensors["weight"]) if classes else latent
    if embedded != latent:
        raise ConversionError(
            "a label must become as many numbers as a latent vector has. Received: "
            f"{embedded} and {latent}"
        )
    channels = _kernel(model.parts["AggregationLayer"]).shape[0]
    return {"latent_dim": latent, **_shared(stages, channels, classes)}


def _of_critic(saved):
    """Return the arguments of our critic."""
    model = saved.parts["Model"]
    channels = _kernel(model.parts["ExtractionLayer"]).shape[1]
    embedding = model.parts.get("EmbeddingLayer")
    classes = 0 if embedding is None else embedding.tensors["weight"].shape[1]
    return _shared(_stages(model)[::-1], channels, classes)


def _shared(stages, channels, classes):
    """Return what both networks have, given the stages from the smallest maps on."""
    blocks = [_blocks(stage) for stage in stages]
    features = [_kernel(found[0].parts["LinearLayer1"]).shape[1] for found in blocks]
    depths = {len(found) for found in blocks}
    image_size, width = 4 << (len(stages) - 1), features[0]
    full_side = 4 << (features.count(width) - 1)
    group_width = _kernel(blocks[0][0].parts["LinearLayer2"]).shape[1]
    halved = features_by_size(sizes.pyramid(image_size), width, full_side)
    if len(depths) > 1 or features != halved:
        raise ConversionError(
            "every stage must have as many blocks as the others, and beyond some side half the "
            f"features with each doubling. Received: {[len(found) for found in blocks]} blocks, "
            f"{features} features"
        )
    return {
        "image_size": image_size,
        "channels": channels,
        "width": width,
        "depth": depths.pop(),
        "full_side": full_side,
        "group_width": group_width,
        "num_classes": classes or None,
    }


def _stages(model):
    """Return the parts of each stage of a network, in its order."""
    return [_ordered(stage.parts["Layers"]) for stage in _ordered(model.parts["MainLayers"])]


def _ordered(saved):
    return [saved.parts[str(i)] for i in range(len(saved.parts))]


def _blocks(stage):
    return [part for part in stage if part.kind == "ResidualBlock"]


def _kernel(convolution):
    return convolution.parts["Layer"].tensors["weight"]


# The arrays of each of our layers in their order, that of labels last. Theirs have PyTorch's axes:
# outputs, inputs, height, width.


def _generator_weights(saved):
    model, found = saved.parts["Model"], []
    for stage in _stages(model):
        found += _transition(stage[0])
        for block in _blocks(stage):
            found += _of_block(block)
    return [*found, _of_convolution(model.parts["AggregationLayer"]), *_embedding(model)]


def _critic_weights(saved):
    model = saved.parts["Model"]
    found = [_of_convolution(model.parts["ExtractionLayer"])]
    for stage in _stages(model):
        for block in _blocks(stage):
            found += _of_block(block)
        found += _transition(stage[-1])
    return [*found, *_embedding(model)]


def _embedding(model):
    part = model.parts.get("EmbeddingLayer")
    return [] if part is None else [[part.tensors["weight"].T]]


def _transition(saved):
    """Return the arrays of what leads from one stage to the next, or from and to vectors."""
    if saved.kind == "GenerativeBasis":
        pattern = saved.tensors["Basis"].transpose(1, 2, 0)
        return [[saved.parts["LinearLayer"].tensors["weight"].T], [pattern]]
    if saved.kind == "DiscriminativeBasis":
        pattern = saved.parts["Basis"].tensors["weight"][:, 0].transpose(1, 2, 0)
        return [[pattern], [saved.parts["LinearLayer"].tensors["weight"].T]]
    taps = saved.parts["Resampler"].tensors["Kernel"]
    if taps.shape != (4, 4) or not np.allclose(taps, np.outer(_FILTER, _FILTER)):
        raise ConversionError(f"maps must be resampled by {_FILTER}. Received: another filter")
    linear = saved.parts.get("LinearLayer")
    return [] if linear is None else [_of_convolution(linear)]


def _of_block(saved):
    found = [_of_convolution(saved.parts[f"LinearLayer{i}"]) for i in (1, 2, 3)]
    for i in (0, 1):
        found[i].append(saved.parts[f"NonLinearity{i + 1}"].tensors["Bias"])
    return found


def _of_convolution(saved):
    return [_kernel(saved).transpose(2, 3, 1, 0)]


def _fill(network, arrays):
    layers = [layer for layer in network.layers if layer.weights]
    layers.sort(key=lambda layer: layer.name == "embedding")
    if len(layers) != len(arrays):
        raise ConversionError(
            f"{network.name} must have {len(layers)} layers. Received: {len(arrays)} in the file"
        )
    for layer, found in zip(layers, arrays, strict=True):
        if len(layer.weights) != len(found):
            raise ConversionError(f"a layer must be like {layer.name}. Received: another one")
        for variable, value in zip(layer.weights, found, strict=True):
            assign(variable, value)
