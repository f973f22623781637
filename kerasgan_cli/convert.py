"""`kerasgan convert`: a network that another program saved, as a preset."""

from pathlib import Path

import click

from kerasgan.files import atomic, expanded, sha256
from kerasgan_cli import stages
from kerasgan_cli.common import backend_option, choose_backend, echo, refuse_existing

_CARD = """# {title}

Converted by `kerasgan convert` from `{file}` (SHA-256 `{digest}`).

- Origin: {origin}
- Licence of the weights: {license}
- Generator: {generator:,} parameters, images of {shape}. Critic: {critic}.

```python
import kerasgan

gan = kerasgan.from_preset("path/to/this/folder")
images = gan.sample({sampling})
```
"""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="The preset's folder.")  # fmt: skip
@click.option("--license", required=True,
              help="Licence of the weights, as their authors give it. Most of those that are "
              "published may not be used commercially.")  # fmt: skip
@click.option("--origin", help="Where the file comes from, as a URL.")
@click.option("--title", help="What the preset is called.  [default: the file's name]")
@click.option("--half", is_flag=True, help="Round the weights to float16: half the size.")
@click.option("--overwrite", is_flag=True, help="Replace an existing preset.")
@backend_option
def convert(file, out, license, origin, title, half, overwrite, backend):
    """Make a preset of a network.pkl that the authors' code of StyleGAN2 or R3GAN saved.

    It takes files of stylegan2-ada-pytorch, of stylegan3 for its StyleGAN2 configurations, and of
    R3GAN. The preset holds the generator, its moving average and the critic, so that `sample`,
    `mix`, `directions`, `walk` and `train --from` take its folder, on any backend. PyTorch is not
    needed, and nothing in the file is run.
    """
    file, out = expanded(file), expanded(out)
    refuse_existing(out, overwrite)
    choose_backend(backend)
    from kerasgan.convert import ConversionError, model_of, read

    stages.say("reading the file", always=True)
    try:
        saved = read(file)
        model = model_of(saved)
    except ConversionError as error:
        stages.clear()
        raise click.ClickException(str(error)) from error
    notes = {
        "title": title or file.stem,
        "license": license,
        "origin": origin or "not given",
        "converted_from": {"file": file.name, "sha256": sha256(file)},
    }
    stages.say("writing the preset", always=True)
    written = model.save_to_preset(out, notes, half)
    critic = f"{model.critic.count_params():,} parameters"
    shape = "x".join(map(str, model.image_shape))
    truncated = "truncation" in model.sampling_options
    classes = "" if model.num_classes is None else ", labels=0"
    with atomic(out / "README.md") as temporary:
        temporary.write_text(
            _CARD.format(
                **{key: notes[key] for key in ("title", "license", "origin")},
                file=file.name,
                digest=notes["converted_from"]["sha256"],
                generator=written["parameter_count"]["generator"],
                critic=critic if "D" in saved else f"new, since the file has none ({critic})",
                shape=shape,
                sampling=f"16, seed=0{classes}{', truncation=0.7' if truncated else ''}",
            ),
            encoding="utf-8",
        )
    stages.clear()
    held = ", ".join(name for name in ("G_ema", "G", "D") if name in saved)
    echo(f"wrote {out}: a {type(model).__name__} of {shape}, from {held}")
    if "D" not in saved:
        echo("note      the file holds no critic: training goes on with a new one", err=True)
    echo(f"  kerasgan sample {out}{' --truncation 0.7' if truncated else ''} --out samples.png")
