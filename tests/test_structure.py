"""How the package is built: what imports what, and how long files are."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kerasgan
import kerasgan_cli

PACKAGE = Path(kerasgan.__file__).parent
# Each package or module may import those before it.
ORDER = [
    ("version", "text"),
    ("files", "validation", "environment", "notebook"),
    ("catalogue", "registration"),
    ("backend",),
    ("foreign", "torch_files"),
    ("storage",),
    ("hub",),
    ("presets",),
    ("data",),
    ("pictures", "metrics"),
    ("film",),
    ("losses", "penalties", "filters"),
    ("augment",),
    ("layers",),
    ("networks",),
    ("adversarial",),
    ("gans",),
    ("serving", "convert"),
    ("recipe",),
    ("collapse",),
    ("report",),
    ("callbacks",),
    ("watch",),
    ("bench",),
    ("scorecard",),
]
RANK = {part: rank for rank, parts in enumerate(ORDER) for part in parts}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "zoo" not in path.parts)
COMMANDS = sorted(Path(kerasgan_cli.__file__).parent.glob("*.py"))
ROOT = PACKAGE.parent
SCRIPTS = sorted(
    path for folder in ("tests", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if part_of(path) != "__init__"],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_imports_go_one_way(path):
    part = part_of(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "kerasgan" and len(parts) > 1 and parts[1] in RANK:
            assert parts[1] == part or RANK[parts[1]] < RANK[part], f"{path} imports {name}"
        assert parts[0] != "kerasgan_cli"


@pytest.mark.parametrize("path", FILES + COMMANDS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_only_the_backend_package_imports_a_backend(path):
    if path.parent.name != "backend":
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & {"tensorflow", "jax", "torch"}


def test_backend_files_offer_the_same_names():
    public = []
    for name in ("tensorflow", "jax", "torch"):
        tree = ast.parse((PACKAGE / "backend" / f"{name}.py").read_text())
        defined = {node.name for node in tree.body if hasattr(node, "name")}
        assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
        defined |= {target.id for node in assigned for target in node.targets}
        public.append({n for n in defined if not n.startswith("_")} - {"Scope"})
    assert public[0] == public[1] == public[2]


def test_public_names_exist():
    for name in kerasgan.__all__:
        assert getattr(kerasgan, name) is not None


def test_editors_know_the_public_names():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    names = {alias.name for node in block.body for alias in getattr(node, "names", ())}
    names |= {target.id for node in block.body for target in getattr(node, "targets", ())}
    assert names == set(kerasgan.__all__) - {"catalogue", "__version__"}


def test_dir_shows_the_public_names_alone():
    assert dir(kerasgan) == sorted(kerasgan.__all__)


def module_of(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    )


def graph():
    """Return the modules that each module of the package and of the commands imports."""
    modules = {module_of(path): path for path in (*FILES, *COMMANDS)}
    found = {}
    for name, path in modules.items():
        edges = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                edges |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                inside = {f"{node.module}.{alias.name}" for alias in node.names}
                # A package is imported for its names; for its modules it is a folder.
                edges |= inside & modules.keys() or {node.module}
        found[name] = (edges & modules.keys()) - {name}
    return found


def test_no_import_circle():
    edges = graph()
    # The top hands out names lazily, to editors at once; whoever imports from it imports a module.
    edges["kerasgan"] = set()
    left = dict(edges)
    while left:
        free = [name for name, targets in left.items() if not targets & left.keys()]
        assert free, f"modules in a circle, or above one: {sorted(left)}"
        for name in free:
            del left[name]


def test_no_import_goes_up_in_the_commands():
    """A command's module is imported by `main` alone; what several need stands below them."""
    commands = {"train", "data", "sample", "walk", "export", "evaluate", "report", "compare", "ui"}
    commands |= {"bench", "zoo"}
    for name, targets in graph().items():
        below = {t.removeprefix("kerasgan_cli.") for t in targets if t.startswith("kerasgan_cli.")}
        if name not in ("kerasgan_cli.main", "kerasgan_cli.zoo"):
            assert not below & commands, f"{name} imports {below & commands}"


@pytest.mark.parametrize(
    "path",
    FILES + COMMANDS + SCRIPTS,
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.slow
def test_loading_after_importing_in_either_order(tmp_path):
    model = kerasgan.WGAN(*kerasgan.networks.mlp(8, 1, latent_dim=2, width=4, depth=1))
    model.save(tmp_path / "m.keras")
    for first, second in (("kerasgan", "keras"), ("keras", "kerasgan")):
        code = f"import {first}, {second}; print(type(keras.saving.load_model('m.keras')).__name__)"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.stdout.strip() == "WGAN", done.stderr[-2000:]


@pytest.mark.parametrize(
    "line",
    [
        "from kerasgan.gans import GAN",
        *(
            pytest.param(line, marks=pytest.mark.slow)
            for line in (
                "import kerasgan; kerasgan.data.ImageDataset",
                "from kerasgan.data import load",
                "from kerasgan.penalties import gradient_penalty",
                "import kerasgan.networks",
            )
        ),
    ],
)
def test_any_package_can_be_imported_first(line):
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def imported_by(code, after="pass"):
    """Return the packages beyond Python's own that a process imports while it runs `code`.

    What it imported before, when it ran `after`, does not count.
    """
    program = (
        f"import sys\n{after}\nbefore = {{name.split('.')[0] for name in sys.modules}}\n"
        f"{code}\n"
        "new = {name.split('.')[0] for name in set(sys.modules)} - before\n"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "command",
    ["train", "data", "sample", "walk", "export", "evaluate", "compare", "ui", "bench", "zoo"],
)
def test_help_imports_nothing_heavy(command):
    code = (
        "from kerasgan_cli import main\n"
        f"try: main([{command!r}, '--help'])\nexcept SystemExit: pass"
    )
    assert imported_by(code) <= {"click", "colorama", "kerasgan", "kerasgan_cli"}


def test_version_is_in_the_changelog():
    changelog = PACKAGE.parent / "CHANGELOG.md"
    if not changelog.exists():
        pytest.skip("not a checkout")
    assert re.search(rf"^## \[{re.escape(kerasgan.__version__)}\]", changelog.read_text(), re.M)


def test_the_package_imports_little_beyond_keras():
    """What few need is imported where it is needed; so are packages that take long."""
    every = "import kerasgan\nfor name in kerasgan.__all__: getattr(kerasgan, name)"
    assert imported_by(every, after="import keras") <= {"kerasgan", "PIL"}
