"""How a model comes from a preset and becomes one."""

import contextlib

import keras

from kerasgan import presets, storage


class _Presets:
    """What a class says of the zoo: `{name: metadata}` of the presets that are of its kind."""

    def __get__(self, instance, owner):
        found = {}
        for name, folder in presets.presets().items():
            # A damaged one says so when it is loaded or verified, and hides no other.
            with contextlib.suppress(storage.PresetError):
                config, metadata = storage.read_config(folder), storage.read_metadata(folder)
                kind = keras.saving.get_registered_object(str(config.get("registered_name")))
                if isinstance(kind, type) and issubclass(kind, owner):
                    found[name] = metadata
        return found


class Pretrained:
    """The part of an adversarial model that reads and writes presets.

    Attributes:
        presets: The zoo's presets of this class, `{name: metadata}`.
    """

    presets = _Presets()

    @classmethod
    def from_preset(cls, preset, load_weights=True):
        """Return a pretrained model, not compiled.

        Every file is checked against its SHA-256 before it is used, and nothing in it is executed.

        Args:
            preset: A name from `kerasgan zoo list`, such as "wgan_gp_fashion_mnist", or a folder
                that `save_to_preset` wrote ("./name" where the zoo has that name too), or a
                repository of the hub, "hf://user/name", with "@revision" behind it if need be
                (`pip install 'kerasgan[hub]'`).
            load_weights: False gives the same networks with new weights.

        Returns:
            The adversarial model; `sample(n, seed)` generates images, `compile()` and `fit` go on
            training it.

        Raises:
            PresetError: A ValueError, if the preset is unknown, incomplete, damaged or altered, or
                of another class.
            ImportError: For a handle, if the hub's client is not installed.

        Example:
        ```python
        gan = kerasgan.from_preset("wgan_gp_fashion_mnist")
        images = gan.sample(100, seed=7)  # (100, 28, 28, 1) in [-1, 1]
        ```
        """
        return presets.read(preset, load_weights, cls)

    def save_to_preset(self, folder, metadata=None, half=False):
        """Write the networks as a preset that `from_preset` opens; see `storage.write_preset`."""
        return storage.write_preset(self, folder, metadata, half)
