"""Seeded nonsense: command lines, images, presets, model files and run folders."""

import io
import json
import shutil

import click
import numpy as np
from PIL import Image

from kerasgan import catalogue
from kerasgan.storage import described
from kerasgan_cli.main import cli

VALUES = (  # noqa: SIM905
    "0 -1 1 2 3 7 64 nan inf -inf 1e300 -1e300 1e-300 1e22 99999999999999999999999 0x10 1_000 "
    "true null None none off rescue {} [] , =, a=b a=1,b=nan a=1,,b - -- --- . .. ../.. / // "
    "/dev/null /dev/zero /dev/stdin /proc/self/mem ~ ~nobody-here/x hf:// hf://a/b@ avatars mnist "
    "mixed_bfloat16 torch jax webp % %s $HOME ; `id` * ?"
).split()
ODD = ("", " ", "\n", "\t", "\x1b[2J", "é", "文字", "\u202e", "\udcff", "a" * 300, "x" * 5000)


CODES = {0, 1, 2, 3, 130}
COMMANDS = {n: command for n, command in cli.commands.items() if command.params and n != "bench"}


def fault(words, code, out, err):
    """Return what is wrong with how a command ended, or None.

    Args:
        words: The command line.
        code: Its exit code.
        out: What it printed to stdout,
        err: and to stderr.
    """
    told = err[err.rfind("Error:") :] if "Error:" in err else ""
    rules = {
        "another exit code": code in CODES,
        "a traceback": "Traceback" not in err and "debug shows the traceback" not in err,
        "a long error": len(told.strip().splitlines()) <= 2 and len(told) < 3000,
        "raw characters": not any(c in out + err for c in "\x1b\u202e\udcff"),
        "no word": code == 0 or err,
    }
    broken = [rule for rule, holds in rules.items() if not holds]
    return f"{words}: {code}, {broken}\n{out[-500:]}\n{err[-2000:]}" if broken else None


def command_line(rng):
    """Return a command line that is more or less wrong."""
    name = str(rng.choice(sorted(COMMANDS)))
    words = [name, "--dry-run"] if name == "train" else [name]
    if name == "train" and rng.random() < 0.8:
        words += [str(rng.choice(sorted(catalogue.VARIANTS))), "--data", "avatars"]
    parameters = [p for p in COMMANDS[name].params if p.name not in ("model", "recipe", "resume")]
    for parameter in rng.permutation(np.array(parameters, object))[: rng.integers(0, 5)]:
        if isinstance(parameter, click.Argument):
            words.append(_value(rng))
            continue
        flag = str(rng.choice([*parameter.opts, *parameter.secondary_opts]))
        if rng.random() < 0.05:
            flag = flag[:-1] + "x"
        kind = rng.random()
        if parameter.is_flag or kind < 0.1:
            words.append(flag)
        elif kind < 0.2:
            words.append(f"{flag}={_value(rng)}")
        else:
            words += [flag, _good(rng, parameter) if kind < 0.75 else _value(rng)]
    return words


def _good(rng, parameter):
    """Return a value that the option takes by itself, if that is simple."""
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return str(rng.choice(list(kind.choices)))
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        return str(rng.choice([kind.min or 1, kind.max or 5, 2]))
    return _value(rng)


def _value(rng):
    return str(rng.choice(VALUES)) if rng.random() < 0.8 else ODD[rng.integers(len(ODD))]


def damaged(rng, whole):
    """Return bytes with some changed, cut off, repeated or inserted."""
    data = bytearray(whole)
    for _ in range(rng.integers(1, 6)):
        kind, at = rng.integers(5), int(rng.integers(0, len(data) + 1))
        if kind == 0:
            data[at : at + 1] = bytes([rng.integers(256)])
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 200))]
        elif kind == 2:
            data[at:at] = rng.bytes(rng.integers(1, 64))
        elif kind == 3:
            data[at : at + 4] = b"\xff\xff\xff\x7f"
        else:
            data = data[:at] if rng.random() < 0.3 else data
    return bytes(data)


FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "TGA")


def image_file(rng):
    """Return the bytes of a damaged image file, and its suffix."""
    form = str(rng.choice(FORMATS))
    mode = str(rng.choice({"JPEG": ["RGB", "L"], "PPM": ["RGB", "L"]}.get(form, ["RGB", "P", "L"])))
    pixels = rng.integers(0, 256, (24, 24, 3), dtype="uint8")
    memory = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(memory, form)
    return damaged(rng, memory.getvalue()), f".{form.lower()}"


STRANGE = (
    None, True, -1, 0, 10**5, 10**9, 2**63, 1e308, "", "x", "__lambda__", "os.system", [], {},
    [[]], {"class_name": "Lambda"}, ["a"] * 50, "../../etc/passwd",
)  # fmt: skip


def changed(rng, value, depth=0):
    """Return a JSON value with one entry replaced, removed or doubled."""
    if isinstance(value, dict) and value and (depth == 0 or rng.random() < 0.8):
        key = str(rng.choice(sorted(value)))
        kind = rng.random()
        if kind < 0.1:
            return {k: v for k, v in value.items() if k != key}
        if kind < 0.2:
            return {**value, f"{key}x": value[key]}
        return {**value, key: changed(rng, value[key], depth + 1)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        place = int(rng.integers(len(value)))
        return [*value[:place], changed(rng, value[place], depth + 1), *value[place + 1 :]]
    return STRANGE[rng.integers(len(STRANGE))]


def preset(rng, source, folder):
    """Write a preset of which something is wrong, with checksums that are right mostly."""
    shutil.copytree(source, folder)
    kind = rng.integers(4)
    if kind == 0:
        path = folder / str(rng.choice(["config.json", "metadata.json", "model.weights.h5"]))
        path.write_bytes(damaged(rng, path.read_bytes()))
    else:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        for _ in range(rng.integers(1, 4)):
            config = changed(rng, config)
        path.write_text(json.dumps(config))
    if (rng.random() < 0.9 and kind != 0) or rng.random() < 0.5:
        _sign(folder)


def _sign(folder):
    """Write the checksums of the files as they are."""
    try:
        metadata = json.loads((folder / "metadata.json").read_text())
        for name in metadata["files"]:
            metadata["files"][name] = described(folder / name)
        (folder / "metadata.json").write_text(json.dumps(metadata))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # The metadata are what is wrong.


def run_folder(rng, source, folder):
    """Write a run folder in which a file or two are wrong."""
    shutil.copytree(source, folder)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in rng.choice(np.array(paths, object), min(2, len(paths)), replace=False):
        kind = rng.integers(5)
        if kind == 0:
            path.unlink()
        elif kind == 1 and path.suffix == ".json":
            path.write_text(json.dumps(changed(rng, json.loads(path.read_text()))))
        elif kind == 2:
            path.unlink()
            path.mkdir()
        elif kind == 3:
            path.write_bytes(b"")
        else:
            path.write_bytes(damaged(rng, path.read_bytes()))
