"""What a training has whatever its variant: images, rates, seeds, length, and the run's own."""

from kerasgan.catalogue.metrics import DIRECTED, EXTRACTORS
from kerasgan.catalogue.option import Option, choice, flag, integer, positive

LOADING = (
    Option("name_or_path", "text", "what to train on", shell=False),
    Option("image_size", "size", "side of the images in pixels, or height and width, as 192x320"),
    choice("channels", (1, 3, 4), "grey, colour, or colour and transparency; by default grey if "
           "all images are, else colour"),
    choice("fit", ("crop", "pad", "stretch"), "how images get this shape: crop cuts the middle "
           "out, pad fills up with the background, stretch distorts; crop by default"),
    Option("background", "text", "colour under transparent pixels and beside padded images: white, "
           "black or #rrggbb; white by default"),
    flag("mirror", "show each image mirrored or not, at random, each time; for images whose left "
         "and right mean nothing"),
    Option("split", "text", "part of a TFDS data set or of stacked_mnist, as test or train[:1000]; "
           "train by default"),
    integer("limit", "number of images to use, from the first; all by default"),
    flag("upscale", "enlarge images that are smaller than asked"),
    integer("bit_depth", "bits that the values of 16-bit images use, as 12; all 16 by default", 9,
            maximum=16),
    Option("max_bad", "number", "share of unusable files in a folder above which to stop; 0.1 by "
           "default", 0, 1),
    Option("mixture", "text", "a mixture of points, in the benchmarks alone", shell=False),
)  # fmt: skip

OPTIMIZERS = (
    positive(
        "learning_rate", "learning rate of both optimizers; the variant's by default", 1, alias="lr"
    ),
    positive(
        "critic_learning_rate", "the critic's learning rate, where it differs", 1, alias="critic_lr"
    ),
    positive(
        "final_learning_rate",
        "the learning rates fall to this along half a cosine, over the epochs that the run begins "
        "with, and the critic's in proportion; for r3gan the rate after the burn-in, by default a "
        "quarter of the first",
        1,
        alias="final_lr",
    ),
    positive(
        "final_critic_learning_rate",
        "what the critic's learning rate falls to, where it is not in proportion",
        1,
        alias="final_critic_lr",
    ),
    Option("beta_1", "number", "Adam's decay of the first moment", 0, 1, below=True),
    Option("beta_2", "number", "Adam's decay of the second moment", 0, 1, below=True),
)

LENGTH = (
    integer("epochs", "passes over the data; 50 by default", maximum=10**6),
    integer("steps", "critic steps, instead of epochs", maximum=10**9),
    integer("steps_per_epoch", "critic steps of an epoch; by default a pass over the data",
            maximum=10**9, shell=False),
)  # fmt: skip

PLAIN = (
    integer("batch_size", "images in one critic step; 64 by default, 8 for fastgan", maximum=2**16),
    integer(
        "accumulate",
        "parts in which each batch is taken, one after the other, where it does "
        "not fit into the device's memory; 1 by default",
        maximum=2**16,
    ),
    integer("seed", "seed of everything; 0 by default", 0, 2**32 - 1),
    choice(
        "precision",
        ("float32", "tf32", "mixed_bfloat16"),
        "of the networks; tf32 is float32 with products of 10 bits, on devices that have it, and "
        "elsewhere the same as float32, which is the default",
    ),
    flag(
        "deterministic",
        "reproducible kernels, with which resuming is exact; by default on a CPU, where they are "
        "as fast, and not on an accelerator",
        none="auto",
    ),
    flag("conditional", "give both networks the labels of the data"),
    choice(
        "backend",
        ("tensorflow", "jax", "torch"),
        "Keras backend; by default that of $KERAS_BACKEND, else of Keras' own setting",
        none="",
    ),
)

# What belongs to a run of the shell, and not to the training.
RUN = (
    choice(
        "guard",
        ("rescue", "stop", "warn", "off"),
        "what happens when the generator loses what it had learned: rescue puts the last healthy "
        "state back, changes something and goes on; stop keeps the best state; warn says so; off "
        "does not check; rescue by default",
    ),
    integer(
        "guard_every",
        "critic steps between two checks; by default an epoch, or as many epochs as make 150 steps",
    ),
    Option("start", "text", "the preset, run or file whose networks a training begins with",
           none="", shell=False),
    integer("grid_every", "epochs between two grids of samples; 1 by default"),
    choice(
        "score",
        DIRECTED,
        "measure this on generated images every so often, and keep the state with the best value "
        "as best.keras; not by default",
    ),
    integer(
        "score_every",
        "epochs between two scores; by default so many that they take about 3 % of the time",
    ),
    choice(
        "score_extractor",
        EXTRACTORS,
        "what makes features of the images for the score; by default the best one for these images "
        "that is installed",
    ),
    integer(
        "keep_every",
        "keep the state after each epoch that this number divides, as epochs/0012.keras; none by "
        "default",
    ),
    choice(
        "animation",
        ("webp", "gif", "none"),
        "format of the animation of all grids; webp by default",
    ),
    flag(
        "tensorboard",
        "write the losses, the scores and the grids of each epoch into RUN/tensorboard, too",
    ),
)  # fmt: skip
