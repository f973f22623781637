"""The networks of StyleGAN2's authors as a `StyleGAN2`."""

from kerasgan import gans, networks
from kerasgan.convert.pickles import ConversionError
from kerasgan.convert.tensors import assign
from kerasgan.networks.style_parts import levels
from kerasgan.text import quoted

# Theirs and ours.
_ARCHITECTURES = {"skip": "skip", "resnet": "residual", "orig": "plain"}
# The only values of arguments that ours have not.
_ONLY = {
    "activation": ("lrelu",),
    "resample_filter": ([1, 3, 3, 1],),
    "use_noise": (True,),
    "kernel_size": (3,),
}
_RATE = 0.01  # Factor of the learning rate of our mapping networks.


def stylegan2(saved):
    """Return the model of networks that were saved.

    Args:
        saved: What `kerasgan.convert.read` returns.

    Raises:
        ConversionError: If they are of another kind, or have parts that ours have not.
    """
    best = saved.get("G_ema", saved.get("G"))
    raw, critic = saved.get("G", best), saved.get("D")
    arguments = _of_generator(best)
    _check_sizes(arguments, best.parts["synthesis"], "conv1")
    if _of_generator(raw) != arguments:
        raise ConversionError("`G` and `G_ema` must be of one kind. Received: two")
    for_critic = {key: arguments[key] for key in ("image_size", "channels", "num_classes")}
    if critic is not None:
        for_critic = _of_critic(critic)
        _check_sizes(for_critic, critic, "conv0")
        differing = [key for key in ("image_size", "channels", "num_classes")
                     if for_critic[key] != arguments[key]]  # fmt: skip
        if differing:
            raise ConversionError(
                f"`D` must score the images of `G`. Received: another {', '.join(differing)}"
            )
    else:
        for_critic |= {key: arguments[key] for key in ("channel_base", "channel_max")}
    model = gans.StyleGAN2(
        networks.StyleGAN2Generator(**arguments), networks.StyleGAN2Critic(**for_critic)
    )
    _fill_generator(model.generator, raw)
    _fill_generator(model.ema_generator, best)
    if critic is not None:
        _fill_critic(model.critic, critic)
    return model


def _arguments(saved, *names):
    """Return the arguments of a network by name, those of its parts among them.

    Args:
        saved: A `Saved`.
        *names: Names of its first arguments, which may have been given without any.

    Raises:
        ConversionError: If one has a value that ours cannot have.
    """
    found = {names[k] if isinstance(k, int) else k: v for k, v in saved.arguments.items()}
    for name in [name for name in found if name.endswith("_kwargs")]:
        found = {**(found.pop(name) or {}), **found}
    for name, allowed in _ONLY.items():
        value = found.pop(name, allowed[0])
        value = list(value) if isinstance(value, tuple) else value
        if value not in allowed:
            raise ConversionError(
                f"`{name}` of {saved.kind} must be {allowed[0]!r}. Received: {_shown(value)}"
            )
    return found


def _shown(value):
    """Return a value of a file as text; of what may be endless, its kind."""
    plain = isinstance(value, (str, int, float, type(None)))
    return quoted(value) if plain else type(value).__name__


def _of_generator(saved):
    """Return the arguments of our generator."""
    _check_kind(saved, "Generator", ("mapping", "synthesis"))
    synthesis, mapping = saved.parts["synthesis"], saved.parts["mapping"]
    if "input" in synthesis.parts:
        raise ConversionError(
            "the generator must be a StyleGAN2. Received: an alias-free StyleGAN3 (configuration T "
            "or R)"
        )
    given = _arguments(saved, "z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
    return {
        "image_size": _resolution(given["img_resolution"]),
        "channels": given["img_channels"],
        "latent_dim": given["z_dim"],
        "style_dim": given["w_dim"],
        "mapping_layers": len([name for name in mapping.parts if name.startswith("fc")]),
        "num_classes": given["c_dim"] or None,
        "generator_architecture": _architecture(given.get("architecture", "skip")),
        **_shared(given, synthesis.parts),
    }


def _of_critic(saved):
    """Return the arguments of our critic."""
    _check_kind(saved, "Discriminator", ("b4",))
    given = _arguments(saved, "c_dim", "img_resolution", "img_channels")
    mapping = saved.parts.get("mapping")
    layers = len([n for n in mapping.parts if n.startswith("fc")]) if mapping else 8
    group = given.get("mbstd_group_size", 4)
    return {
        "image_size": _resolution(given["img_resolution"]),
        "channels": given["img_channels"],
        "num_classes": given["c_dim"] or None,
        "critic_architecture": _architecture(given.get("architecture", "resnet")),
        "critic_mapping_layers": layers,
        "group_size": 2**16 if group is None else group,
        "group_channels": given.get("mbstd_num_channels", 1),
        **_shared(given, saved.parts),
    }


def _shared(given, blocks):
    """Return what both networks have: of the two repositories each has its own defaults."""
    layers = [layer.arguments for block in blocks.values() for layer in block.parts.values()]
    return {
        "channel_base": given.get("channel_base", 32768),
        "channel_max": given.get("channel_max", 512),
        "clamp": next((a["conv_clamp"] for a in layers if "conv_clamp" in a), None),
        "reduced": sum(bool(block.arguments.get("use_fp16")) for block in blocks.values()),
    }


def _resolution(side):
    if isinstance(side, int) and (side < 4 or side & (side - 1)):
        raise ConversionError(f"`img_resolution` must be 4 times a power of 2. Received: {side}")
    return side


def _architecture(name):
    if not isinstance(name, str) or name not in _ARCHITECTURES:
        raise ConversionError(
            f"`architecture` must be one of {list(_ARCHITECTURES)}. Received: {_shown(name)}"
        )
    return _ARCHITECTURES[name]


def _check_kind(saved, kind, parts):
    missing = [name for name in parts if name not in saved.parts]
    if saved.kind != kind or missing:
        raise ConversionError(
            f"the file must hold a StyleGAN2's {kind}, with {' and '.join(parts)}. Received: "
            f"{saved.kind}, with {', '.join(saved.parts) or 'no parts'}"
        )


def _check_sizes(arguments, saved, name):
    """Raise ConversionError unless the file has the tensors that its arguments speak of.

    The networks are built after that: a file that speaks of giants would have them built.
    """
    given = {key: arguments[key] for key in ("image_size", "channel_base", "channel_max")}
    for level in levels(**given, reduced=0):
        block = saved.parts[f"b{level.sides[0]}"]
        features = block.parts["conv" if name == "conv0" and level.sides[0] == 4 else name]
        found = features.tensors["weight"].shape
        if level.features not in found[:2]:
            raise ConversionError(
                f"a tensor of {level.features} features must be in b{level.sides[0]}. Received: "
                f"shape {found}"
            )


# Weights. Theirs have the order of PyTorch: outputs, inputs, height, width.


def _dense(layer, saved, maps=None, factor=1.0):
    """Fill a fully connected layer.

    Args:
        layer: Ours.
        saved: Theirs.
        maps: The shape of flattened maps that it takes, or None.
        factor: What its weights are multiplied by.
    """
    kernel = factor * saved.tensors["weight"].T
    if maps is not None:  # Theirs are flattened channels first.
        height, width, features = maps
        kernel = kernel.reshape(features, height, width, -1).transpose(1, 2, 0, 3)
        kernel = kernel.reshape(height * width * features, -1)
    assign(layer.kernel, kernel)
    assign(layer.bias, factor * saved.tensors["bias"])


def _convolution(layer, saved):
    assign(layer.kernel, saved.tensors["weight"].transpose(2, 3, 1, 0))
    if layer.use_bias:
        assign(layer.bias, saved.tensors["bias"])


def _modulated(layer, saved):
    assign(layer.kernel, saved.tensors["weight"].transpose(2, 3, 1, 0))
    assign(layer.bias, saved.tensors["bias"])
    _dense(layer.scale, saved.parts["affine"])
    if layer.noise:
        assign(layer.strength, saved.tensors["noise_strength"])


def _mapping(layer, saved):
    for i, dense in enumerate(layer.stack):
        part = saved.parts[f"fc{i}"]
        # Weights that are used by another factor are another multiple.
        _dense(dense, part, factor=part.arguments.get("lr_multiplier", 1) / _RATE)
    if layer.embed is not None:
        _dense(layer.embed, saved.parts["embed"])
    if layer.latent:
        assign(layer.average, saved.tensors["w_avg"])


def _fill_generator(generator, saved):
    _mapping(generator.mapping, saved.parts["mapping"])
    synthesis = generator.synthesis
    parts = [saved.parts["synthesis"].parts[f"b{level.sides[0]}"] for level in synthesis.levels]
    noise = []
    for block, part in zip(synthesis.blocks, parts, strict=True):
        pairs = ((block.enlarge, "conv0"), (block.refine, "conv1"), (block.to_image, "torgb"))
        for layer, name in pairs:
            if layer is not None:
                _modulated(layer, part.parts[name])
                noise += [part.parts[name].tensors["noise_const"]] if layer.noise else []
        if block.shortcut is not None:
            _convolution(block.shortcut, part.parts["skip"])
    assign(synthesis.constant, parts[0].tensors["const"].transpose(1, 2, 0))
    for variable, value in zip(synthesis.constant_noise, noise, strict=True):
        assign(variable, value[..., None])


def _fill_critic(critic, saved):
    names = {"from_image": "fromrgb", "shortcut": "skip", "first": "conv0", "second": "conv1"}
    size = critic.arguments["image_size"]
    for layer in critic.layers:  # Each of ours must be among theirs.
        place, _, kind = layer.name.removeprefix("level_").partition("_")
        if layer.name.startswith("level_"):
            _convolution(layer, saved.parts[f"b{size >> int(place)}"].parts[names[kind]])
    last = saved.parts["b4"]
    if critic.arguments["critic_architecture"] == "skip":
        _convolution(critic.get_layer("last_from_image"), last.parts["fromrgb"])
    _convolution(critic.get_layer("last_conv"), last.parts["conv"])
    features = last.parts["conv"].tensors["weight"].shape[0]
    _dense(critic.get_layer("last_features"), last.parts["fc"], (4, 4, features))
    _dense(critic.get_layer("score"), last.parts["out"])
    if "mapping" in saved.parts:
        _mapping(critic.get_layer("mapping"), saved.parts["mapping"])
