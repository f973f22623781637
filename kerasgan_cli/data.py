"""`kerasgan data`: what is in a folder of images, before anything is trained."""

import collections
import json
import textwrap
from pathlib import Path

import click

from kerasgan import catalogue
from kerasgan.text import counted, listed, printable
from kerasgan_cli import options as made
from kerasgan_cli import stages
from kerasgan_cli.common import choose_any_backend, echo, refuse_existing, short_warnings
from kerasgan_cli.options import with_flags
from kerasgan_cli.sources import find_data

LEFT, WIDE = 10, 100  # Columns of the words on the left, and of a line.
SHEET = 100  # Images on the contact sheet,
COLUMNS = 10  # in rows of so many.
LISTED = 3  # Names in a line.
REASONS = 5  # Lines about files that cannot be used.
BOUNDS = (32, 64, 128, 256)  # Sides between which images are counted.
_LOADING = ("channels", "fit", "background", "upscale", "bit_depth", "split", "limit")


def _loading_options(command):
    """Add the options of `kerasgan train` that say how images are read."""
    for entry in reversed(catalogue.LOADING):
        if entry.name in _LOADING:
            command = made.from_catalogue(entry)(command)
    return command


@click.command()
@click.argument("path", metavar="NAME_OR_PATH")
@click.option("--size", "--image-size", "image_size", type=made.Size(),
              help="Side in pixels that the networks will see, or height and width as 192x320. "
              "[default: that of the images, or what is advised]")  # fmt: skip
@_loading_options
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER_OR_PNG",
              help="Write a contact sheet: a PNG of what the networks will see. A folder gets the "
              "lists of all copies and of all unusable files too.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def data(path, out, as_json, overwrite, **given):
    """Show what images there are, and what to train them with.

    NAME_OR_PATH is a folder, a .zip, .npz or .npy file, or the name of a data set. The command
    counts the images, their sizes and classes, names what cannot be used and what is there twice,
    and advises options of `kerasgan train`. The decoded images are kept in the cache, where
    `kerasgan train` finds them if it is given the same size.
    """
    find_data(path, given["split"], flag="NAME_OR_PATH")
    if catalogue.SOURCES[catalogue.source_of(path)].splits:
        choose_any_backend()  # TFDS imports TensorFlow, which would chat.
    if out is not None:
        refuse_existing(out, overwrite)
    from kerasgan.data.pixels import DataError
    from kerasgan.data.survey import survey

    chosen = {name: value for name, value in given.items() if value is not None}
    if "channels" in chosen:
        chosen["channels"] = int(chosen["channels"])
    with short_warnings():
        try:
            found = survey(path, progress=stages.progress, **chosen)
        except DataError as error:
            text = str(error).replace("`name_or_path`", "NAME_OR_PATH")
            raise click.ClickException(with_flags(text)) from error
    stages.clear()
    if out is not None:
        _write(found, out)
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=2))
    else:
        echo("\n".join(_lines(found, path, out)))


def _lines(found, path, out):
    yield from _about_files(found)
    yield from _about_sizes(found)
    yield from _about_copies(found)
    classes = found.classes
    if classes:
        counts = sorted(classes.items(), key=lambda pair: -pair[1])
        yield from _row("classes", listed((f"{name} {n:,}" for name, n in counts), 12))
    elif found.source in ("folder", "zip"):
        yield from _row("classes", f"none: {found.decoded.about['unlabelled']}")
    yield from _advised(found, path)
    if out is None:
        yield from ("", "--out sheet.png writes a contact sheet of what the networks will see.")
    else:
        yield from ("", f"wrote {printable(out)}")


def _about_files(found):
    height, width, channels = found.decoded.images.shape[1:]
    what = {1: "grey", 3: "colour", 4: "colour with transparency"}[channels]
    images = counted(found.count, "image")
    yield f"{printable(found.name)}: {images}, seen as {height}x{width} in {what}"
    yield ""
    formats = collections.Counter(h.format for h in found.headers).most_common()
    modes = collections.Counter(h.mode for h in found.headers).most_common()
    if formats:
        yield from _row("files", f"{_counts(formats)}; {_counts(modes)}")
    if found.shape is not None:
        yield from _row("alpha", "a channel of it" if found.shape[2] in (2, 4) else "none")
    looked, seen = found.transparent
    if looked:
        alpha = sum(header.alpha for header in found.headers)
        yield from _row("alpha", f"{alpha:,} may be transparent; of {looked:,} that were opened, "
                        f"{seen:,} are")  # fmt: skip
    reasons = collections.defaultdict(list)
    for name, reason in found.skipped:
        reasons[_without_size(reason)].append(name)
    most = sorted(reasons.items(), key=lambda pair: -len(pair[1]))
    for i, (reason, names) in enumerate(most[:REASONS]):
        text = f"{len(names):,} {with_flags(printable(reason))}: {listed(names, LISTED)}"
        yield from _row("" if i else "unusable", text)
    if len(most) > REASONS:
        rest = sum(len(names) for _, names in most[REASONS:])
        yield from _row("", f"{rest:,} for other reasons")


def _without_size(reason):
    """Return a reason without what differs from file to file."""
    return reason.partition(" (")[0].partition(": ")[0]


def _about_sizes(found):
    sides = sorted((h.width, h.height) for h in found.headers)
    if found.shape is not None:
        sides = [found.shape[1::-1]]
    if not sides:
        return
    shapes = collections.Counter(
        "square" if w == h else "wide" if w > h else "tall" for w, h in sides
    )
    if len(set(sides)) == 1:
        yield from _row("sizes", f"all {sides[0][0]}x{sides[0][1]}")
        return
    by_area = sorted(sides, key=lambda pair: pair[0] * pair[1])
    ends = [f"{w}x{h}" for w, h in (by_area[0], by_area[len(by_area) // 2], by_area[-1])]
    yield from _row("sizes", f"from {ends[0]} to {ends[2]}, half of them up to {ends[1]}; "
                    f"{_counts(shapes.most_common())}")  # fmt: skip
    yield from _row("", f"the shorter side has {', '.join(_ranges([min(p) for p in sides]))}")


def _ranges(sides):
    """Yield how many sides lie between two of `BOUNDS`, in words."""
    for low, high in zip((0, *BOUNDS), (*BOUNDS, None), strict=True):
        count = sum(low <= side and (high is None or side < high) for side in sides)
        if count and high is None:
            yield f"{low} or more pixels in {count:,}"
        elif count:
            yield f"{f'{low} to {high - 1}' if low else f'under {high}'} pixels in {count:,}"


def _about_copies(found):
    if found.firsts is None:
        yield from _row("copies", "not looked for among so many images")
        return
    for name, pairs, words in (
        ("copies", found.copies, "an exact copy of another|exact copies of others"),
        ("", found.near_copies, "nearly equal to another|nearly equal to others"),
    ):
        if pairs:
            one, many = words.split("|")
            verb, words = ("is", one) if len(pairs) == 1 else ("are", many)
            first = listed((f"{found.label(a)} = {found.label(b)}" for a, b in pairs), LISTED)
            yield from _row(name, f"{len(pairs):,} {verb} {words}: {first}")
    if not found.copies and not found.near_copies:
        yield from _row("copies", "none")


def _advised(found, path):
    from kerasgan.data.advice import advice

    given = advice(found)
    if not given:
        return
    yield from ("", "Options to train with:")
    width = max(len(one.option) for one in given) + 4
    for one in given:
        space = " " * width
        yield from textwrap.wrap(one.why, WIDE, initial_indent=f"  {one.option}".ljust(width),
                                 subsequent_indent=space)  # fmt: skip


def _row(name, text):
    return textwrap.wrap(text, WIDE, initial_indent=name.ljust(LEFT), subsequent_indent=" " * LEFT,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip


def _counts(pairs):
    return listed((f"{count:,} {name}" for name, count in pairs), 5)


def _write(found, out):
    import numpy as np

    from kerasgan import pictures
    from kerasgan.data import from_uint8
    from kerasgan.files import atomic

    images = found.decoded.images
    rows = np.unique(np.linspace(0, len(images) - 1, min(SHEET, len(images))).astype(int))
    some = np.asarray(images[rows])
    some = from_uint8(some) if some.dtype == np.uint8 else some
    single = out.suffix.lower() == ".png"
    folder = out.parent if single else out
    folder.mkdir(parents=True, exist_ok=True)
    sheet = out if single else out / "contact_sheet.png"
    pictures.save_grid(sheet, some, columns=COLUMNS, scale=max(1, 64 // max(images.shape[1:3])))
    if single:
        return
    texts = {
        "copies.txt": [(found.label(a), found.label(b)) for a, b in found.copies],
        "near_copies.txt": [(found.label(a), found.label(b)) for a, b in found.near_copies],
        "skipped.txt": found.skipped,
    }
    for name, pairs in texts.items():
        lines = [f"{printable(one)}\t{printable(other)}\n" for one, other in pairs]
        with atomic(folder / name) as temporary:
            temporary.write_text("".join(lines), encoding="utf-8")


def _as_json(found):
    import dataclasses

    from kerasgan.data.advice import advice

    return {
        "name": found.name,
        "source": found.source,
        "images": found.count,
        "image_shape": list(found.decoded.images.shape[1:]),
        "array_shape": found.shape,
        "advised_size": found.advised_size,
        "files": [dataclasses.asdict(header) for header in found.headers],
        "skipped": [list(pair) for pair in found.skipped],
        "copies": [[found.label(a), found.label(b)] for a, b in found.copies],
        "near_copies": [[found.label(a), found.label(b)] for a, b in found.near_copies],
        "classes": found.classes,
        "unlabelled": found.decoded.about.get("unlabelled") if not found.classes else None,
        "advice": [dataclasses.asdict(one) for one in advice(found)],
    }
