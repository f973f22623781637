"""Trains the feature network that comes with the package, and writes its weights and its card.

    KERAS_BACKEND=torch python tools/train_garments_and_digits.py [--epochs 12]

The network classifies the ten garments of Fashion-MNIST and the ten digits of MNIST. Each image is
shifted by up to two pixels, and half of the garments are mirrored; the learning rate falls along a
cosine. The weights are rounded to half precision before they are tested.
"""

import argparse
import hashlib
from pathlib import Path

import keras
import numpy as np

from kerasgan import backend
from kerasgan.data import from_uint8, load
from kerasgan.environment import describe
from kerasgan.metrics.extractors import garments_and_digits as ours

CARD = """# garments_and_digits, version {version}

This network of {parameters:,} parameters classifies the ten garments of Fashion-MNIST and the ten
digits of MNIST, with all twenty classes in one task. `kerasgan.metrics` uses the 64 values before
its last layer as features of grey images.

| Test images | N | Accuracy, all 20 classes | Accuracy, its own 10 classes |
|---|---|---|---|
| Fashion-MNIST | {garments_n:,} | {garments:.2%} | {garments_ten:.2%} |
| MNIST | {digits_n:,} | {digits:.2%} | {digits_ten:.2%} |

It was trained on the 60,000 training images of each data set for {epochs} epochs with seed 0. This
command repeats the training:

```
KERAS_BACKEND=torch python tools/train_garments_and_digits.py --epochs {epochs}
```

Versions: {versions}. The test images influenced no choice except the number of epochs, which the
available time limited.

Fashion-MNIST: Zalando Research, MIT licence. MNIST: Y. LeCun and C. Cortes, CC BY-SA 3.0.
"""


class Batches(keras.utils.PyDataset):
    """Augmented batches of both sets, in an order of their own in each epoch."""

    def __init__(self, images, labels, batch_size=256):
        super().__init__()
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.epoch = 0
        self.on_epoch_end()

    def __len__(self):
        return len(self.images) // self.batch_size

    def on_epoch_end(self):
        """Choose the order of the next epoch."""
        self.rng = np.random.default_rng(self.epoch)
        self.order = self.rng.permutation(len(self.images))
        self.epoch += 1

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        images, labels = from_uint8(self.images[rows]), self.labels[rows]
        shifts = self.rng.integers(-2, 3, (len(rows), 2))
        mirrored = (labels < 10) & (self.rng.random(len(rows)) < 0.5)
        for i, (shift, mirror) in enumerate(zip(shifts, mirrored, strict=True)):
            image = images[i, :, ::-1] if mirror else images[i]
            padded = np.pad(image, [(2, 2), (2, 2), (0, 0)], constant_values=-1)
            y, x = shift + 2
            images[i] = padded[y : y + 28, x : x + 28]
        return images, labels


def both(split):
    """Return images and labels of both sets, the digits numbered from 10."""
    sets = [load(name, split=split) for name in ("fashion_mnist", "mnist")]
    images = np.concatenate([s.images for s in sets])
    labels = np.concatenate([sets[0].labels, sets[1].labels + 10])
    return images, labels


def main():
    """Train, round, test, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12)
    epochs = parser.parse_args().epochs
    keras.utils.set_random_seed(0)
    images, labels = both("train")
    batches = Batches(images, labels)
    _, scores = ours.build()
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, epochs * len(batches), warmup_target=4e-3, warmup_steps=len(batches) // 2
    )
    scores.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    scores.optimizer.build(scores.trainable_variables)
    backend.set_memory_layout([*scores.variables, *scores.optimizer.variables])
    backend.fuse_steps(scores.optimizer)
    scores.fit(batches, epochs=epochs, verbose=2)
    weights = [w.astype("float16") for w in scores.get_weights()]
    scores.set_weights([w.astype("float32") for w in weights])
    with open(ours.WEIGHTS, "wb") as file:
        np.savez(file, **{str(i): w for i, w in enumerate(weights)})
    images, labels = both("test")
    found = scores.predict(from_uint8(images), batch_size=512, verbose=0)
    figures = {}
    for name, first in (("garments", 0), ("digits", 10)):
        own = (labels >= first) & (labels < first + 10)
        figures[f"{name}_n"] = int(own.sum())
        figures[name] = float(np.mean(found[own].argmax(1) == labels[own]))
        ten = found[own][:, first : first + 10].argmax(1) + first
        figures[f"{name}_ten"] = float(np.mean(ten == labels[own]))
    environment = describe(keras.backend.backend())
    card = CARD.format(
        version=ours.VERSION,
        parameters=scores.count_params(),
        epochs=epochs,
        versions=", ".join(f"{k} {v}" for k, v in environment["versions"].items()),
        **figures,
    )
    Path(ours.WEIGHTS).with_suffix(".md").write_text(card)
    print(card)
    print("SHA256 =", hashlib.sha256(ours.WEIGHTS.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
