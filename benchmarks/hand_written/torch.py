"""PyTorch: eager, as WGAN's and WGAN-GP's ports run it; on the GPU where there is one."""

import math

import torch
from torch import nn
from torch.nn import functional

from hand_written import KerasPlayers, Loop, first_map, layers_of, sides


class _TorchLoop(Loop):
    """The two steps over any networks.

    A subclass sets `weights` (what is trained, for each player), `statistics`, `averages` and
    `averaged` (the last two of equal length), and gives `generate(z)`,
    `score(images, weights=None)`, `update(player, loss)` and `critic_moments()`.
    """

    mean = staticmethod(torch.mean)
    softplus = staticmethod(functional.softplus)

    def __init__(self, task, batches):
        super().__init__(task, batches)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.generator_steps = 0

    def _latent(self):
        return torch.randn(self.task.batch_size, self.task.latent_dim, device=self.device)

    def to_device(self, batch):
        """Return a tensor where the networks are."""
        return torch.as_tensor(batch, device=self.device)

    def critic_step(self, real):
        """Move the critic once; return its loss."""
        with torch.no_grad():
            fake = self.generate(self._latent())
            if self.task.clip is not None:
                for w in self.weights["critic"]:
                    w.clamp_(-self.task.clip, self.task.clip)
        loss = self._penalised_critic_loss(real, fake)
        self.update("critic", loss)
        return loss.detach()

    def _penalised_critic_loss(self, real, fake, weights=None):
        penalties = self.task.penalties
        if "r1" in penalties:
            real, fake = (images.detach().requires_grad_() for images in (real, fake))
        scores = self.score(real, weights), self.score(fake, weights)
        loss = self.critic_loss(*scores)
        if "gradient_penalty" in penalties:
            loss = loss + penalties["gradient_penalty"] * self._gradient_penalty(real, fake)
        if "r1" in penalties:
            gradients = torch.autograd.grad(
                scores[0].sum() + scores[1].sum(), (real, fake), create_graph=True
            )
            for name, g in zip(("r1", "r2"), gradients, strict=True):
                loss = loss + 0.5 * penalties[name] * g.square().sum(dim=(1, 2, 3)).mean()
        return loss

    def _gradient_penalty(self, real, fake):
        epsilon = torch.rand(self.task.batch_size, 1, 1, 1, device=self.device)
        between = torch.lerp(fake, real, epsilon).requires_grad_()
        scores = self.score(between)
        (gradients,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
        norms = (gradients.square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
        return (norms - 1.0).square().mean()

    def generator_step(self, real):
        """Move the generator once, and its moving average after it; return its loss."""
        fake = self.generate(self._latent())
        weights = self._critic_ahead(real, fake) if self.task.unrolled_steps else None
        real_scores = None
        if self.task.loss == "relativistic":
            with torch.no_grad():
                real_scores = self.score(real)
        elif self.task.loss == "minimax":  # Its weights depend on the generator.
            real_scores = self.score(real, weights)
        loss = self.generator_loss(real_scores, self.score(fake, weights))
        self.update("generator", loss)
        self.generator_steps += 1
        with torch.no_grad():
            decay = self.average_decay(self.generator_steps)
            torch._foreach_lerp_(self.averages, self.averaged, 1.0 - decay)
        return loss.detach()

    def _critic_ahead(self, real, fake):
        def gradients_of(weights):
            loss = self._penalised_critic_loss(real, fake, weights)
            return torch.autograd.grad(loss, weights, create_graph=True)

        moments = (self.critic_steps, *self.critic_moments())
        return self.unrolled(self.weights["critic"], moments, gradients_of)

    def adam(self, c, rate, weights, first, second, gradients):
        """Return weights and moments after one step, in kernels for all weights at once."""
        first = torch._foreach_lerp(first, gradients, 1.0 - c["beta_1"])
        second = torch._foreach_mul(second, c["beta_2"])
        second = torch._foreach_addcmul(second, gradients, gradients, 1.0 - c["beta_2"])
        roots = torch._foreach_sqrt(torch._foreach_add(second, c["epsilon"] ** 2))
        # Not _foreach_addcdiv, whose backward pass fails in PyTorch 2.13.
        moves = torch._foreach_div(first, roots)
        return torch._foreach_add(weights, moves, alpha=-rate), first, second

    def synchronize(self):
        """Wait for the last step; on a CPU it is done when its call returns."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def snapshot(self):
        groups = {
            **self.weights,
            "statistics": self.statistics,
            "average": self.averages,
        }
        return {
            name: [t.detach().cpu().numpy().copy() for t in tensors]
            for name, tensors in groups.items()
        }


class KerasLoop(KerasPlayers, _TorchLoop):
    """The loop of Keras' guide to custom training on PyTorch."""

    def __init__(self, task, batches, generator, critic, average):
        super().__init__(task, batches)
        self.hold(generator, critic, average)

    def update(self, player, loss):
        """Differentiate and apply the gradients with a Keras optimizer."""
        gradients = torch.autograd.grad(loss, self.weights[player])
        with torch.no_grad():
            self.optimizers[player].apply(gradients, self.variables[player])


class NativeLoop(_TorchLoop):
    """`torch.nn` in NCHW and `torch.optim`.

    Args:
        task: A `Task`.
        batches: NumPy batches of real images, NHWC; turned to NCHW here.
        generator: The Keras generator whose architecture and weights are copied.
        critic: The Keras critic, likewise.
    """

    def __init__(self, task, batches, generator, critic):
        super().__init__(task, [b.transpose(0, 3, 1, 2).copy() for b in batches])
        size = batches[0].shape[1]
        self.generate = _generator(layers_of(generator), size).to(self.device)
        self._critic = _critic(layers_of(critic), size).to(self.device)
        networks = {"generator": self.generate, "critic": self._critic}
        self.weights = {player: list(net.parameters()) for player, net in networks.items()}
        self._optimizers = {
            player: _optimizer(*task.hyperparameters(player), weights)
            for player, weights in self.weights.items()
        }
        self.statistics = [*_statistics(self.generate), *_statistics(self._critic)]
        self.averaged = [*self.weights["generator"], *_statistics(self.generate)]
        self.averages = [t.detach().clone() for t in self.averaged]
        self._names = [name for name, _ in self._critic.named_parameters()]

    def score(self, images, weights=None):
        """Return the scores of images, in training mode; with other weights if they are given."""
        if weights is None:
            return self._critic(images)
        named = dict(zip(self._names, weights, strict=True))
        return torch.func.functional_call(self._critic, named, images)

    def critic_moments(self):
        """Return Adam's first and second moments."""
        states = [self._optimizers["critic"].state[w] for w in self.weights["critic"]]
        return [[state[key] for state in states] for key in ("exp_avg", "exp_avg_sq")]

    def update(self, player, loss):
        """Differentiate with respect to this player's weights alone, and move them."""
        self._optimizers[player].zero_grad(set_to_none=True)
        loss.backward(inputs=self.weights[player])
        self._optimizers[player].step()


def _statistics(network):
    """Return the moving statistics, without their counters."""
    return [t for t in network.buffers() if t.is_floating_point()]


def _optimizer(kind, c, weights):
    if kind == "Adam":
        betas = (c["beta_1"], c["beta_2"])
        # Keras adds epsilon before it corrects the second moment, PyTorch after: this is the same
        # in the first step, where gradients may be as small.
        epsilon = c["epsilon"] / math.sqrt(1.0 - c["beta_2"])
        return torch.optim.Adam(weights, c["learning_rate"], betas, epsilon, fused=True)
    return torch.optim.RMSprop(weights, c["learning_rate"], c["rho"], c["epsilon"])


def _generator(layers, image_size):
    side, maps = first_map(layers)
    following = sides(side, image_size)[1:]
    (_, (kernel,)), *rest = layers
    kernel = kernel.reshape(-1, side, side, maps).transpose(0, 3, 1, 2)  # NHWC to NCHW.
    modules = [_linear(kernel.reshape(len(kernel), -1)), nn.Unflatten(1, (maps, side, side))]
    for kind, arrays in rest:
        if kind == "BatchNormalization":
            modules += [_batch_norm(*arrays), nn.ReLU(inplace=True)]
        else:
            modules.append(_convolution(nn.ConvTranspose2d, *arrays))
            past = 2 * side - (side := following.pop(0))
            if past:
                modules.append(nn.ZeroPad2d((0, -past, 0, -past)))
    return nn.Sequential(*modules, nn.Tanh())


def _critic(layers, image_size):
    *body, (_, (kernel, bias)) = layers
    modules = []
    for i, (kind, arrays) in enumerate(body):
        norm = kind == "BatchNormalization"
        if not norm and image_size % 2:  # Keras' "same" has the odd row and column at the end.
            modules.append(nn.ZeroPad2d((0, 1, 0, 1)))
        modules.append(_batch_norm(*arrays) if norm else _convolution(nn.Conv2d, *arrays))
        image_size = image_size if norm else math.ceil(image_size / 2)
        if i + 1 == len(body) or body[i + 1][0] != "BatchNormalization":
            modules.append(nn.LeakyReLU(0.2, inplace=True))
    maps = len(body[-1][1][0]) if norm else body[-1][1][0].shape[3]
    side = round((len(kernel) / maps) ** 0.5)
    kernel = kernel.reshape(side, side, maps, 1).transpose(2, 0, 1, 3)  # NHWC to NCHW.
    return nn.Sequential(*modules, nn.Flatten(), _linear(kernel.reshape(-1, 1), bias))


def _linear(kernel, bias=None):
    layer = nn.Linear(*kernel.shape, bias=bias is not None)
    return _filled(layer, weight=kernel.T, bias=bias)


def _batch_norm(gamma, beta, mean, variance):
    layer = nn.BatchNorm2d(len(gamma), eps=1e-5, momentum=0.1)
    return _filled(layer, weight=gamma, bias=beta, running_mean=mean, running_var=variance)


def _convolution(kind, kernel, bias=None):
    """Return a convolution of stride 2; Keras keeps HWIO, and HWOI where it is transposed."""
    weight = kernel.transpose(3, 2, 0, 1)
    size = len(kernel)
    if size % 2:
        raise ValueError(f"Kernels of an even side only. Received: {size}")
    maps = weight.shape[:2] if kind is nn.ConvTranspose2d else weight.shape[1::-1]
    layer = kind(*maps, size, stride=2, padding=(size - 2) // 2, bias=bias is not None)
    return _filled(layer, weight=weight, bias=bias)


def _filled(layer, **arrays):
    with torch.no_grad():
        for name, array in arrays.items():
            if array is not None:
                getattr(layer, name).copy_(torch.from_numpy(array.copy()))
    return layer
