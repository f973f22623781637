"""`kerasgan env`: what a training on this machine will use."""

import json

import click

from kerasgan_cli.common import backend_option, choose_backend, echo


@click.command()
@backend_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def env(backend, as_json):
    """Show the backend, its device, and the versions that a training here will use.

    Please add this text to a bug report.
    """
    backend = choose_backend(backend)
    from kerasgan.environment import used

    found = used(backend)
    if as_json:
        echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    echo("\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in found.items()))
