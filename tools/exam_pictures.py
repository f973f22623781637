"""Make the pictures of the collapse detector's exam from packages of Debian.

It writes one file for each kind of picture into a folder: photographs.npz, emoji.npz, clipart.npz
and stamps.npz, each with the arrays `images`, uint8 `(n, side, side, 3)`, and `parts`, the number
of the photograph, the group or the folder that an image is from. The packages are downloaded by
`apt-get`, so this needs Debian or one of its relatives, and nothing is installed.

- photographs: crops of the wallpapers of MATE, Plasma, UKUI and LXQt (CC BY-SA, CC BY, CC0, LGPL,
  GPL), by photograph;
- emoji: Noto Color Emoji (OFL 1.1), by the subgroups of Unicode's emoji-test.txt;
- clipart: openclipart.org (public domain), by folder;
- stamps: Tux Paint's stamps, photographs and drawings of things (GPL, public domain), by folder.

Usage: python tools/exam_pictures.py FOLDER
"""

import hashlib
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WALLPAPERS = ("mate-backgrounds", "plasma-workspace-wallpapers", "ukui-wallpapers", "lxqt-themes")
FONT = "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
TEST = "usr/share/unicode/emoji/emoji-test.txt"
CLIPART = "usr/share/openclipart/png"
STAMPS = "usr/share/tuxpaint/stamps"
SIDE = 64
PHOTOGRAPH = 128  # Side of a crop of a photograph,
SHORTER = 1024  # whose own shorter side is this at most.
CROPS = 100  # From each photograph.
SMALLEST = 200_000  # Bytes of a wallpaper that is a photograph, and not a pattern.
CONTRAST = 12  # Standard deviation of a crop, of 255, so that it is no plain sky.
FEWEST = 12  # Pictures in a folder that is a part,
MOST = 300  # and those of it that are used.


def unpacked(package, folder):
    """Return the folder with the files of a package of Debian."""
    target = folder / package
    if not target.exists():
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg", "-x", archive, target], check=True)
    return target


def photographs(folder):
    """Return crops of wallpapers, and the number of the wallpaper of each."""
    rng = np.random.default_rng(0)
    images, parts, part = [], [], 0
    for path in _wallpapers(folder):
        image = Image.open(path).convert("RGB")
        scale = SHORTER / min(image.size)
        if scale < 1:
            size = [round(side * scale) for side in image.size]
            image = image.resize(size, Image.Resampling.LANCZOS)
        crops = _crops(np.asarray(image), rng)
        if len(crops) == CROPS:
            images += crops
            parts += [part] * CROPS
            part += 1
    return images, parts


def _wallpapers(folder):
    Image.MAX_IMAGE_PIXELS = None
    for package in WALLPAPERS:
        root, largest = unpacked(package, folder), {}
        for path in sorted(root.rglob("*")):
            pictures = path.suffix.lower() in (".jpg", ".jpeg", ".png")
            if not pictures or path.is_symlink() or "screenshot" in path.name:
                continue
            # Plasma has every wallpaper in several sizes.
            key = path.parents[2] if "plasma" in package else path
            largest[key] = max(largest.get(key, path), path, key=lambda p: p.stat().st_size)
        yield from (path for path in largest.values() if path.stat().st_size >= SMALLEST)


def _crops(pixels, rng):
    found = []
    for _ in range(4 * CROPS):
        top, left = (rng.integers(side - PHOTOGRAPH + 1) for side in pixels.shape[:2])
        crop = pixels[top : top + PHOTOGRAPH, left : left + PHOTOGRAPH]
        if crop.std() >= CONTRAST:
            found.append(crop)
        if len(found) == CROPS:
            break
    return found


def emoji(folder):
    """Return drawings of emoji, and the number of the group of each."""
    font = ImageFont.truetype(
        unpacked("fonts-noto-color-emoji", folder) / FONT,
        109,  # The only size in the font.
        layout_engine=ImageFont.Layout.RAQM,
    )
    groups, images = defaultdict(list), []
    name = None
    for line in (unpacked("unicode-data", folder) / TEST).read_text("utf-8").splitlines():
        if line.startswith("# subgroup:"):
            name = line.split(":")[1].strip()
        elif "; fully-qualified" in line:
            text = "".join(chr(int(code, 16)) for code in line.split(";")[0].split())
            if font.getlength(text) <= 140:  # A wider one is not in the font as one picture.
                groups[name].append(text)
    parts = []
    for part, texts in enumerate(own for own in groups.values() if len(own) >= FEWEST):
        for text in texts:
            image = Image.new("RGB", (136, 128), "white")
            ImageDraw.Draw(image).text((0, 0), text, font=font, embedded_color=True)
            images.append(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)))
            parts.append(part)
    return images, parts


def clipart(folder):
    """Return clip art, and the number of the folder of each."""
    return _folders(unpacked("openclipart-png", folder) / CLIPART, depth=2)


def stamps(folder):
    """Return stamps, and the number of the folder of each."""
    return _folders(unpacked("tuxpaint-stamps-default", folder) / STAMPS, depth=1)


def _folders(root, depth):
    groups = defaultdict(list)
    for path in sorted(root.rglob("*.png")):
        names = path.relative_to(root).parts
        if len(names) > depth:
            groups[names[:depth]].append(path)
    images, parts = [], []
    chosen = [paths for paths in groups.values() if len(paths) >= FEWEST]
    for part, paths in enumerate(chosen):
        step = max(1, len(paths) // MOST)
        for path in paths[::step][:MOST]:
            images.append(_on_white(path))
            parts.append(part)
    return images, parts


def _on_white(path):
    image = Image.open(path).convert("RGBA")
    side = max(image.size)
    square = Image.new("RGBA", (side, side), "white")
    square.alpha_composite(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(square.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def distinct(images, parts):
    """Return the images that are not plain and come first among equals, and their parts."""
    seen, kept = set(), []
    for i, image in enumerate(images):
        digest = hashlib.sha256(image.tobytes()).digest()
        if image.std() >= 5 and digest not in seen:
            seen.add(digest)
            kept.append(i)
    return np.stack([images[i] for i in kept]), np.array(parts)[kept]


def main(folder):
    """Write the pictures of each kind into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for make in (photographs, emoji, clipart, stamps):
            images, parts = distinct(*make(Path(temporary)))
            np.savez(folder / f"{make.__name__}.npz", images=images, parts=parts)
            print(f"{make.__name__}: {len(images)} of {parts.max() + 1} parts", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
