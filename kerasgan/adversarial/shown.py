"""What a notebook shows of a model."""

from kerasgan import notebook
from kerasgan.data.pixels import straight, to_uint8
from kerasgan.text import counted

MOST = 16  # Samples that are shown,
LARGEST = 20_000_000  # if the generator has no more parameters: nobody waits for a line of text.


class Shown:
    """The part of an adversarial model that a notebook shows."""

    _loaded = False

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self._loaded = True

    def _repr_html_(self):
        """Return a line of text and, of a model that was trained or loaded, some samples.

        The samples are those of seed 0, and drawing them changes no state of the model. It is None
        where the model cannot be described, and a notebook then shows its `repr`.
        """
        try:
            text = self._described()
        except Exception:  # Of a subclass whose constructor has failed, for example.
            return None
        return notebook.html_of(text, self._samples_shown, MOST // 2)

    def _described(self):
        sizes = "x".join(map(str, self.image_shape))
        generator, critic = self.generator.count_params(), self.critic.count_params()
        classes = "" if self.num_classes is None else f", {self.num_classes} classes"
        steps = f"; {counted(self.critic_steps, 'critic step')}" if self.critic_steps else ""
        return (
            f"{type(self).__name__} {self.name!r}: images {sizes}{classes}, latent vectors of "
            f"{self.latent_dim:,} numbers; generator {generator:,} and critic {critic:,} "
            f"parameters{steps}"
        )

    def _samples_shown(self):
        n = notebook.some(MOST, self.image_shape)
        known = self._loaded or self.critic_steps
        if not n or not known or self.generator.count_params() > LARGEST:
            return None
        return straight(to_uint8(self.sample(n, seed=0)))
