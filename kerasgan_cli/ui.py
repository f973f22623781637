"""`kerasgan ui`: a page in the browser to play with a model."""

import contextlib
import importlib.util
import os
import socket
import tempfile
import time

import click

from kerasgan_cli import stages
from kerasgan_cli.common import backend_option, choose_backend, echo
from kerasgan_cli.sampling import check_finite
from kerasgan_cli.sources import about, class_names, open_model

HOST = "127.0.0.1"
PORTS = range(7860, 7960)  # Of which the first free one is taken.


@click.command()
@click.argument("source", metavar="PRESET_OR_RUN_OR_FILE")
@click.option("--port", type=click.IntRange(1, 2**16 - 1),
              help="Port of the page. [default: the first free one from 7860 on]")  # fmt: skip
@click.option("--browser/--no-browser", default=False, help="Open the page in the browser.")
@backend_option
def ui(source, port, browser, backend):
    """Play with a pretrained model, a run's model or a .keras file on a page in the browser.

    The page draws pictures of any seed, walks from one seed to another, and shows what a class, an
    InfoGAN's code or a sampling option changes. Only this machine can open it. Ctrl-C ends it.
    """
    if importlib.util.find_spec("gradio") is None:
        raise click.ClickException(
            "the page needs Gradio, which is not installed. Install it with: pip install "
            "'kerasgan[ui]'"
        )
    port = _free_port(port)
    choose_backend(backend)
    from kerasgan import pictures
    from kerasgan_cli.gallery import Gallery

    model = open_model(source)
    if model.image_shape[-1] not in pictures.MODES:
        raise click.UsageError(
            f"the images of {source} must have 1 to {max(pictures.MODES)} channels to be shown. "
            f"Received: {model.image_shape[-1]} channels"
        )
    gallery, head = Gallery(model, source, class_names(source)), about(source)
    stages.say("drawing the first pictures", always=True)
    check_finite(gallery.warm_up(), source)
    stages.clear()
    with tempfile.TemporaryDirectory(prefix="kerasgan-ui-") as folder:
        _serve(gallery, head, port, browser, folder)


def _free_port(port):
    """Return a port that can be listened on: the given one, or else the first free one.

    Raises:
        click.UsageError: If there is none.
    """
    for candidate in PORTS if port is None else [port]:
        try:
            with socket.socket() as listener:
                if os.name == "posix":  # A page that has just ended does not hold its port.
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((HOST, candidate))
                return candidate
        except OSError as error:
            reason = error.strerror
    if port is None:
        raise click.UsageError(
            f"no port from {PORTS[0]} to {PORTS[-1]} is free ({reason}). --port takes another one."
        )
    raise _taken(port, reason)


def _taken(port, reason):
    return click.UsageError(
        f"--port must be a free port of {HOST}: {reason}. Without --port the next free one is "
        f"taken. Received: {port}"
    )


def _serve(gallery, head, port, browser, folder):
    """Show the page until Ctrl-C; what it writes meanwhile goes into `folder`."""
    stages.say("loading Gradio", always=True)
    # Gradio asks nobody for anything but its own page, and that not by way of a proxy.
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": folder,
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    from kerasgan_cli import page

    built = page.build(gallery, *head)
    try:
        address = page.launch(built, port, browser)
    except OSError as error:
        raise _taken(port, error.strerror or error) from error
    stages.clear()
    with contextlib.suppress(KeyboardInterrupt):
        echo(f"{gallery.source} is at {address} until Ctrl-C ends it")
        while True:
            time.sleep(3600)
    built.close()
