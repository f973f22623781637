"""What the commands share."""

import contextlib
import difflib
import importlib
import importlib.util
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan.files import read_json
from kerasgan.text import printable
from kerasgan_cli import stages
from kerasgan_cli.options import with_flags
from kerasgan_cli.runs import Damaged

_BACKEND = next(option for option in catalogue.PLAIN if option.name == "backend")


def backend_option(command):
    """Add `--backend` to a command."""
    return click.option(
        _BACKEND.flag, type=click.Choice(_BACKEND.choices), help=f"{_BACKEND.help}."
    )(command)


def choose_backend(name, always=False):
    """Set the Keras backend for this process; Keras must not have been imported yet.

    Args:
        name: Name of the backend, or None.
        always: Whether a log, too, has a line that says that Keras is being loaded.

    Raises:
        click.ClickException: If its package is not installed; the pip line is shown.
    """
    name = name or os.environ.get("KERAS_BACKEND") or _configured()
    if name not in _BACKEND.choices:
        raise click.UsageError(
            f"the backend must be one of {', '.join(_BACKEND.choices)}. Received: {name!r}"
        )
    if importlib.util.find_spec(name) is None:
        package = "tensorflow" if name == "tensorflow" else f"'kerasgan[{name}]'"
        raise click.ClickException(
            f"the backend {name} is not installed. Install it with: pip install {package}"
        )
    os.environ["KERAS_BACKEND"] = name
    stages.say(f"loading Keras on {name}", always)
    with without_import_chatter():
        importlib.import_module("kerasgan.gans")  # And with it Keras and the backend.
        if name != "tensorflow":
            importlib.import_module("kerasgan.backend.private").leave_out_tensorflow()
    stages.clear()
    return name


def choose_any_backend():
    """Set the Keras backend for a command that computes nothing with it.

    It is the one that is asked for, if it is installed, or else one that is.
    """
    asked = os.environ.get("KERAS_BACKEND") or _configured()
    known = sorted(_BACKEND.choices, key=lambda name: name != asked)
    installed = [name for name in known if importlib.util.find_spec(name) is not None]
    choose_backend(installed[0] if installed else asked)


@contextlib.contextmanager
def without_import_chatter():
    """Hold back what native libraries print to stderr while a backend is imported.

    TensorFlow reports missing CUDA drivers there before any log level can be set. If the import
    fails, what was held back is shown.
    """
    logging.getLogger("absl").setLevel(logging.ERROR)
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def echo(text, err=False):
    """Print lines without what would move a terminal's cursor; names of files may hold any bytes.

    Args:
        text: The lines.
        err: Whether to print to stderr.
    """
    click.echo("\n".join(map(printable, str(text).split("\n"))), err=err)


@contextlib.contextmanager
def lasting_output():
    """Let no error of stdout end what runs inside the block: a full disk, or a pipe that is closed.

    The first is said on stderr, and nothing more is printed.
    """
    with contextlib.redirect_stdout(_Lasting(sys.stdout)):
        yield


@contextlib.contextmanager
def standard_streams():
    """Have a stdout and a stderr inside the block, of which stderr may fail without a word.

    A process may have been started without them, and a log may be on a full disk.
    """
    with open(os.devnull, "w") as nothing, contextlib.ExitStack() as stack:
        if sys.stdout is None:
            stack.enter_context(contextlib.redirect_stdout(nothing))
        stack.enter_context(contextlib.redirect_stderr(_Lasting(sys.stderr or nothing, False)))
        yield


class _Lasting:
    def __init__(self, stream, says=True):
        self._stream = stream
        self._says = says

    def write(self, text):
        self._try(self._stream.write, text)
        return len(text)

    def flush(self):
        self._try(self._stream.flush)

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def _try(self, function, *given):
        try:
            function(*given)
        except OSError as error:
            with contextlib.suppress(OSError):
                if self._says and not isinstance(error, BrokenPipeError):
                    print(f"stdout: {error.strerror}. The training goes on", file=sys.stderr)
                # What the stream still holds would fail again when Python exits.
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


@contextlib.contextmanager
def short_warnings():
    """Print what users are warned of, once each, without the line of code that it comes from."""
    said = set()

    def show(message, category, *place, **more):
        text = f"warning: {with_flags(str(message))}"
        if issubclass(category, UserWarning) and text not in said:
            said.add(text)
            stages.clear()
            echo(text, err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def _configured():
    """Return the backend that Keras' own configuration file names, or its default."""
    try:
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
        return read_json(home / "keras.json")["backend"]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):  # Or there is no home.
        return "tensorflow"


def nearest(kind, given, known):
    """Return a usage error for an unknown name that lists the nearest known ones, or else all."""
    near = difflib.get_close_matches(given, known, n=3, cutoff=0.4)
    names = f"nearest: {', '.join(near)}" if near else f"they are {', '.join(sorted(known))}"
    return click.UsageError(
        f"{kind} must be one of the known names; {names if known else 'there is none'}. "
        f"Received: {given!r}"
    )


def refuse_existing(path, overwrite):
    """Raise a usage error if `path` exists (a folder: with something in it)."""
    path = Path(path)
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken and not overwrite:
        raise click.UsageError(f"{path} exists; --overwrite replaces it.")


class Refused(ValueError):
    """An error of the library in the words of the shell."""


@contextlib.contextmanager
def in_flags(command):
    """Name the options of a command in the errors that leave the block as the shell has them.

    Errors about a file keep its own words.
    """
    try:
        yield
    except (Refused, Damaged):
        raise
    except ValueError as error:
        raise Refused(with_flags(str(error), command)) from error


class Group(click.Group):
    """A group of commands whose errors name the options of the shell."""

    def invoke(self, ctx):
        # Which command it is, is known only once it runs.
        try:
            return super().invoke(ctx)
        except ValueError:
            with in_flags(self.get_command(ctx, ctx.invoked_subcommand or "") or self):
                raise


def options_group(title, *options):
    """Return a decorator that adds click options and lists them under one heading in --help."""

    def decorate(command):
        for option in reversed(options):
            command = option(command)
            command.__click_params__[-1].group = title
        return command

    return decorate


class GroupedCommand(click.Command):
    """A command whose --help lists its options under the headings of `options_group`.

    Args:
        first: Names of the options that most need. They come first, in this order.
    """

    def __init__(self, *arguments, first=(), **settings):
        super().__init__(*arguments, **settings)
        self.first = first

    def format_options(self, ctx, formatter):
        records = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                records[parameter] = record
        named = {parameter.name: parameter for parameter in reversed(records)}
        sections = {"Options that most need": [records.pop(named[name]) for name in self.first]}
        for parameter, record in records.items():
            sections.setdefault(getattr(parameter, "group", "Other"), []).append(record)
        sections["Other"] = sections.pop("Other")  # The last one.
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)
