"""What to try next, in words."""

_MILD = (
    "Lower the generator's learning rate, or both: <code>--lr</code>.",
    "Give the critic more steps a round: <code>--n-critic 2</code>.",
)
_STRONG = (
    "Penalise the critic's gradients, <code>--r1 1 --r2 1</code>, or take the variant "
    "<code>r3gan</code>, built against collapse.",
    "Let the critic judge several images at once: <code>--packing 2</code>.",
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
        *_MILD,
    ),
    "collapsed": (*_STRONG, *_MILD),
    "diverged": (
        "Lower both learning rates: <code>--lr</code>.",
        "In 16 bits use <code>--precision mixed_bfloat16</code>, or go back to float32.",
        *_STRONG[:1],
    ),
}
