"""The formats that a generator is exported to."""

import dataclasses

from kerasgan.environment import require


@dataclasses.dataclass(frozen=True)
class Export:
    """A format for networks that others run.

    Args:
        name: Its name in the shell.
        title: What it is called.
        keras: What `keras.Model.export` calls it.
        packages: The modules that writing and checking it needs, by backend. One whose name is
            missing cannot write it. The shell takes the first backend that is installed.
        extra: The extra of kerasgan that installs these for the first backend, or None.
        folder: Whether it is a folder, and not a file.
    """

    name: str
    title: str
    keras: str
    packages: dict
    extra: str | None = None
    folder: bool = False

    def check(self, backend):
        """Raise an error unless a backend can write this format here.

        Raises:
            ValueError: If it never can.
            MissingPackage: If a package is not installed.
        """
        if backend not in self.packages:
            raise ValueError(
                f"`backend` must be one of {', '.join(self.packages)} to write {self.title}. "
                f"Received: {backend}"
            )
        first = next(iter(self.packages))
        extra = self.extra if backend == first else None
        require(f"{self.title} on {backend}", self.packages[backend], extra)


EXPORTS = {
    entry.name: entry
    for entry in (
        Export(
            "onnx",
            "ONNX",
            "onnx",
            {
                "tensorflow": ("onnx", "onnxruntime", "tf2onnx"),
                "torch": ("onnx", "onnxruntime", "onnxscript"),
                "jax": ("onnx", "onnxruntime", "jax2onnx"),
            },
            "onnx",
        ),
        Export(
            "savedmodel",
            "SavedModel",
            "tf_saved_model",
            {"tensorflow": (), "jax": ("tensorflow",)},
            folder=True,
        ),
    )
}
