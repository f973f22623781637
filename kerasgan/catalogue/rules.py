"""Rules of single variants: what must hold in a recipe beside the range of each option.

Each is a function of a `kerasgan.recipe.Recipe` that raises ValueError. A variant's entry names
its own.
"""

from kerasgan.catalogue.networks import ARCHITECTURES


def warmup_has_constant_rates(recipe):
    """WGAN's schedule at the start does not go with learning rates that fall."""
    if recipe.arguments.get("warmup") and recipe.falls:
        raise ValueError("--final-learning-rate and --warmup do not go together.")


def some_loss_has_weight(recipe):
    """One of Flow-GAN's two losses must count."""
    if recipe.arguments.get("adversarial_weight") == 0 == recipe.arguments.get("nll_weight"):
        raise ValueError(
            "`adversarial_weight` and `nll_weight` must not both be zero: nothing would be "
            "learned. Received: both are"
        )


def final_rate_is_lower(recipe):
    """R3GAN's learning rates fall."""
    rate = recipe.optimizers.get("generator", {}).get("learning_rate")
    final = recipe.arguments.get("final_learning_rate")
    if final is not None and isinstance(rate, float) and final > rate:
        raise ValueError(
            "`final_learning_rate` must not be above `learning_rate`, which falls. Received: "
            f"learning_rate={rate}, final_learning_rate={final}"
        )


def codes_leave_noise(recipe):
    """InfoGAN's codes are a part of the latent vector, and views are for categorical ones."""
    categorical, continuous = recipe.argument("categorical"), recipe.argument("continuous")
    view_weight = recipe.arguments.get("view_weight")
    if view_weight and not categorical:
        raise ValueError(
            "`view_weight` needs a categorical code. Received: no `categorical`, "
            f"view_weight={view_weight}"
        )
    sizes = {option.name: option.default for option in ARCHITECTURES[recipe.architecture].options}
    latent_dim = recipe.networks.get("latent_dim", sizes["latent_dim"])
    if not 0 < sum(categorical) + continuous < latent_dim:
        raise ValueError(
            "`categorical` and `continuous` must be at least one code and leave numbers for noise "
            f"in the latent vectors. Received: {sum(categorical) + continuous} numbers of codes, "
            f"latent_dim={latent_dim}"
        )
