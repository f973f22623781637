"""The `kerasgan` command."""

import contextlib
import io
import os
import signal
import sys
import threading
import traceback

import click

from kerasgan.environment import MissingPackage
from kerasgan.text import clipped, printable, short
from kerasgan_cli import stages
from kerasgan_cli.bench import bench
from kerasgan_cli.common import Group, echo, standard_streams
from kerasgan_cli.compare import compare
from kerasgan_cli.convert import convert
from kerasgan_cli.data import data
from kerasgan_cli.env import env
from kerasgan_cli.evaluate import evaluate
from kerasgan_cli.export import export
from kerasgan_cli.project import project
from kerasgan_cli.report import report
from kerasgan_cli.sample import sample
from kerasgan_cli.styles import directions, mix
from kerasgan_cli.train import train
from kerasgan_cli.ui import ui
from kerasgan_cli.walk import walk
from kerasgan_cli.watch import watch
from kerasgan_cli.zoo import zoo

FAILURE, INTERRUPTED = 1, 130
LINE = 1000  # Characters of a line of an error, at most.


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="kerasgan")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug):
    """Train, sample and resume generative adversarial networks."""


cli.add_command(train)
cli.add_command(data)
cli.add_command(sample)
cli.add_command(walk)
cli.add_command(mix)
cli.add_command(directions)
cli.add_command(project)
cli.add_command(export)
cli.add_command(convert)
cli.add_command(evaluate)
cli.add_command(report)
cli.add_command(compare)
cli.add_command(ui)
cli.add_command(watch)
cli.add_command(bench)
cli.add_command(zoo)
cli.add_command(env)


def main(arguments=None):
    """Run the command and exit: 0 done, 1 failure, 2 usage, 3 collapsed, 130 interrupted."""
    with standard_streams(), _ending_by_signals():
        _main(arguments)


@contextlib.contextmanager
def _ending_by_signals():
    """Let a termination end the command as Ctrl-C does, in a main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _main(arguments):
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if isinstance(sys.stdout, io.TextIOWrapper):  # Names of files may hold any bytes.
        sys.stdout.reconfigure(errors="backslashreplace")
    if os.path.expanduser("~") == "~":  # In a container with any user; libraries would make `./~`.
        os.environ["HOME"] = "/nonexistent"
    try:
        try:
            _refuse_empty(arguments)
            code = cli.main(arguments, prog_name="kerasgan", standalone_mode=False)
        except BaseException:
            stages.clear()
            raise
    except click.ClickException as error:
        if debug and error.__cause__ is not None:
            traceback.print_exc()
        lines = error.message.split("\n")
        error.message = "\n".join(clipped(printable(line), LINE) for line in lines)
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        echo("Interrupted.", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone; Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILURE
    except Exception as error:
        if debug:
            traceback.print_exc()
        else:
            echo(f"Error: {_in_words(error)}", err=True)
        code = FAILURE
    sys.exit(code if isinstance(code, int) else 0)


def _refuse_empty(arguments):
    """Raise a usage error for an argument that is empty, as where a shell variable is not set."""
    for place, argument in enumerate(arguments):
        name, sign, value = argument.partition("=")
        if argument == "" or (sign and not value and name.startswith("--")):
            which = name or (arguments[place - 1] if place else "the first argument")
            raise click.UsageError(f"{which} must not be empty. Received: ''")


def _in_words(error):
    if isinstance(error, (ValueError, MissingPackage)):
        return short(error, most=LINE, named=False)
    if isinstance(error, OSError) and error.strerror:
        where = f": {clipped(printable(error.filename), LINE)}" if error.filename else ""
        return f"{error.strerror}{where}"
    return f"{short(error)} (--debug shows the traceback)"
