"""What to try next, for each state of the detector and for what was lost, as lines of HTML."""

import html

from kerasgan.text import listed

_CURES = (
    "Penalise the critic's gradients (<code>--r1 1 --r2 1</code>), or use the variant "
    "<code>r3gan</code>, which was built against mode collapse.",
    "Give the critic several images at once: <code>--packing 2</code>.",
    "If a learning rate is above the paper's, or rose during training, lower it: "
    "<code>--lr</code>.",
)
ADVICE = {
    "learning": (
        "Train longer. The generator has not learned much yet, so it had nothing to lose.",
        "If the diversity has not risen for many epochs, the learning rates may be too low or the "
        "networks too small: <code>--lr</code>, <code>--width</code>.",
    ),
    "healthy": (
        "Nothing was lost, and colours and textures are near those of the real images. Train on as "
        "long as the pictures get better.",
    ),
    "unmeasured": (
        "Nothing was lost. Whether the pictures look like the real ones was not measured, so "
        "compare them yourself. Train on as long as they get better.",
    ),
    "far": (
        "Nothing was lost, but the pictures do not look like the real ones: compare them. Train on "
        "as long as they get better.",
        "If they stay blurred, smeared or noisy, try larger networks (<code>--width</code>), other "
        "learning rates (<code>--lr</code>), or the variant <code>r3gan</code>.",
        "If they have a weave or a checkerboard, try networks that enlarge without one: "
        "<code>--network resnet</code>.",
    ),
    "collapsing": (
        "Wait for the next check. The guard acts if the diversity does not come back.",
        *_CURES,
    ),
    "collapsed": _CURES,
    "diverged": (
        "Lower both learning rates: <code>--lr</code>.",
        "If you train in 16 bits, use <code>--precision mixed_bfloat16</code> or go back to "
        "float32.",
        *_CURES[:1],
    ),
    "unknown": (
        "The guard could not check the generator, so look at the pictures yourself.",
        "The error is listed under what the guard did. Please report it.",
    ),
}
# Beside those for the state, by the kind of evidence.
LOST = {
    "copies": (
        "Few images come again and again. If there are few training images, the critic may have "
        "memorised them; let it see each in many versions: <code>--augment diffaugment</code>, or "
        "<code>--augment ada</code> where the loss has a zero (not Wasserstein, relativistic or "
        "least squares)."
    ),
    "blur": (
        "The images lost fine structure. The critic may be too weak to ask for it: lower the "
        "generator's learning rate (<code>--lr</code>) and not the critic's "
        "(<code>--critic-lr</code>), and lower the weights of penalties on the critic."
    ),
}
CLASSES = (
    "Look at the real images of such a class: if they are few or much alike, the critic memorises "
    "them first. Add images, or let the critic see them in many versions: "
    "<code>--augment diffaugment</code>."
)


def advice(state, entries=(), class_name=str):
    """Return what to try next, lines of HTML.

    Args:
        state: A state of the detector.
        entries: The `kerasgan.collapse.Entry` of each check whose evidence counts.
        class_name: A function from the number of a class to its name.
    """
    found = {kind for entry in entries for kind in entry.evidence}
    lines = [LOST[kind] for kind in LOST if kind in found]
    labels = sorted({label for entry in entries for label in entry.classes_alone})
    if labels:
        lost = "These classes" if len(labels) > 1 else "One class"
        names = html.escape(listed([class_name(label) for label in labels], most=5))
        lines.append(f"{lost} lost variety alone: {names}. {CLASSES}")
    if state == "healthy":
        state = _healthy(entries[-1].measurement if entries else None)
    return (*lines, *ADVICE[state])


def _healthy(measurement):
    """Return the key of the advice where nothing was lost, which need not mean that all is well."""
    far = None if measurement is None else measurement.far
    return "unmeasured" if far is None else "far" if far else "healthy"
