"""What to try next, in words."""

_CURES = (
    "Penalise the critic's gradients, <code>--r1 1 --r2 1</code>, or take the variant "
    "<code>r3gan</code>, built against collapse.",
    "Let the critic judge several images at once: <code>--packing 2</code>.",
    "If a learning rate is above the paper's or was raised, lower it: <code>--lr</code>.",
)
ADVICE = {
    "learning": (
        "Train on: it has not learned yet, and what it has not had it cannot have lost.",
        "If the diversity has stood still for many epochs, the learning rates may be too low, or "
        "the networks too small: <code>--lr</code>, <code>--width</code>.",
    ),
    "healthy": ("Nothing is wrong. Train on as long as the pictures get better.",),
    "collapsing": (
        "Wait for the next look; the guard acts if the diversity does not come back.",
        *_CURES,
    ),
    "collapsed": _CURES,
    "diverged": (
        "Lower both learning rates: <code>--lr</code>.",
        "In 16 bits use <code>--precision mixed_bfloat16</code>, or go back to float32.",
        *_CURES[:1],
    ),
}
