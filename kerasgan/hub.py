"""Presets on a model hub, by handles such as `hf://user/name`."""

import os
import re
from pathlib import Path

from kerasgan import storage
from kerasgan.files import expanded
from kerasgan.storage import CONFIG, METADATA, WEIGHTS, PresetError
from kerasgan.text import short

SCHEME = "hf://"
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_HANDLE = re.compile(rf"hf://({_PART}/{_PART})(?:@({_PART}(?:/{_PART})*))?")

CARD = """---
library_name: kerasgan
pipeline_tag: unconditional-image-generation
tags:
- keras
- gan
---

```python
import kerasgan

gan = kerasgan.from_preset("hf://{repository}")
images = gan.sample(16, seed=1)
```
"""


def is_handle(preset):
    """Return whether a preset is named by a handle."""
    return isinstance(preset, str) and preset.startswith(SCHEME)


def fetch(handle, names=(CONFIG, WEIGHTS)):
    """Return the folder of a preset on the hub, downloaded into the hub client's cache.

    Files in the cache that are unchanged are not downloaded again, and without a network the cache
    is used as it is. A file that is damaged in the cache is downloaded once more. $HF_ENDPOINT,
    $HF_HUB_CACHE and $HF_TOKEN have the meaning that they have for the client.

    Args:
        handle: `hf://user/name`, or `hf://user/name@revision`.
        names: The files that are needed, beside the metadata.

    Raises:
        PresetError: If the handle is malformed, or there is no such preset, or it cannot be
            reached.
        ImportError: If the client is not installed.
    """
    repository, revision = parse(handle)
    folder = _download(handle, repository, METADATA, revision).parent
    try:
        storage.read_metadata(folder)
    except PresetError as kept:
        _download_again(handle, repository, (METADATA,), revision, kept)
        # Metadata of something else or of a newer format end the download here.
        storage.read_metadata(folder)
    for name in names:
        # The commit of the metadata: the branch may have moved in the meantime.
        _download(handle, repository, name, folder.name)
    try:
        storage.verify_files(folder, names)
    except PresetError as kept:
        _download_again(handle, repository, (METADATA, *names), folder.name, kept)
    return folder


def parse(handle, argument="preset"):
    """Return the repository and the revision of a handle; the revision may be None.

    Args:
        handle: `hf://user/name`, or `hf://user/name@revision`.
        argument: The name that an error gives the handle.

    Raises:
        PresetError: If the handle is malformed.
    """
    match = _HANDLE.fullmatch(str(handle))
    if not match or ".." in match[0]:
        raise PresetError(
            f"`{argument}` must be hf://user/name or hf://user/name@revision. Received: {handle!r}"
        )
    return match[1], match[2]


def upload_preset(handle, folder, private=False):
    """Upload a preset into a repository of the hub, which is created if it is missing.

    Every file in the folder is uploaded, except hidden ones. A repository without a README.md gets
    a short one if the folder has none.

    Args:
        handle: `hf://user/name`, or `hf://user/name@revision`.
        folder: A folder that `save_to_preset` wrote.
        private: Whether a new repository is private.

    Returns:
        The address of the commit.

    Raises:
        PresetError: If the handle is malformed, if a file of the preset is missing, damaged or
            altered, or if the hub refuses the upload (`hf auth login` stores a token).
        ImportError: If the client is not installed.

    Example:
    ```python
    gan.save_to_preset("faces")
    kerasgan.upload_preset("hf://user/faces", "faces")
    ```
    """
    repository, revision = parse(handle, "handle")
    folder = expanded(folder)
    storage.verify_files(folder)
    client, errors = _client()
    api = client.HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="kerasgan")
    files = {name: folder / name for name in _visible_files(folder)}
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        if not (
            "README.md" in files or api.file_exists(repository, "README.md", revision=revision)
        ):
            files["README.md"] = CARD.format(repository=repository).encode()
        return api.create_commit(
            repository,
            [client.CommitOperationAdd(name, source) for name, source in files.items()],
            revision=revision,
            commit_message="Upload a kerasgan preset",
        )
    except (errors.HTTPError, errors.HFValidationError, OSError) as error:
        raise PresetError(
            f"{handle} cannot be written (is there a token? hf auth login): {short(error)}"
        ) from error


def _visible_files(folder):
    """Return the paths of the files below a folder, relative to it, without hidden ones."""
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [
        name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)
    ]


def _download(handle, repository, name, revision, force=False):
    client, errors = _client()
    try:
        # The client retries a busy server by itself.
        path = client.hf_hub_download(
            repository,
            name,
            revision=revision,
            force_download=force,
            endpoint=os.environ.get("HF_ENDPOINT"),
            cache_dir=os.environ.get("HF_HUB_CACHE"),
            library_name="kerasgan",
        )
    except errors.LocalEntryNotFoundError as error:
        raise PresetError(
            f"{handle} cannot be reached and is not in the cache: {short(error)}"
        ) from error
    except errors.EntryNotFoundError as error:
        raise PresetError(f"{handle} is not a kerasgan preset: it has no {name}.") from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise PresetError(
            f"{handle} does not exist, or is private (hf auth login): {short(error)}"
        ) from error
    except (errors.HTTPError, OSError, ValueError) as error:
        raise PresetError(f"{handle} cannot be downloaded: {short(error)}") from error
    # The path is a file or a link into the cache. A name that the server chose must not lead out.
    path = Path(path)
    if path.resolve().parent not in (path.parent.resolve(), (path.parents[2] / "blobs").resolve()):
        raise PresetError(f"{handle} was stored outside of the cache: {path.resolve()}")
    return path


def _download_again(handle, repository, names, revision, kept):
    """Replace damaged files of the cache; `kept` is the error that found them."""
    try:
        for name in names:
            _download(handle, repository, name, revision, force=True)
    except PresetError as error:
        raise PresetError(f"{kept} It could not be downloaded again: {error}") from error


def _client():
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError as error:
        raise ImportError(
            "presets on a hub need another package: pip install 'kerasgan[hub]'"
        ) from error
    except RuntimeError as error:  # There is no home.
        raise PresetError(
            f"the hub's client has no folder for its cache; set $HF_HOME to one: {short(error)}"
        ) from error
    return huggingface_hub, errors
