"""What to try next, for each state of the detector, as lines of HTML."""

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
    "healthy": ("Nothing is wrong. Train on as long as the pictures get better.",),
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
