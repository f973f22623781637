"""Presets on a model hub, by handles such as `hf://user/name`."""

import os
import re
import tempfile
from pathlib import Path

from kerasgan import storage
from kerasgan.storage import CONFIG, METADATA, WEIGHTS, PresetError

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

    What is in the cache and unchanged is not downloaded again; without a network what is there is
    used. A file that is damaged in the cache is downloaded once more. $HF_ENDPOINT, $HF_HUB_CACHE
    and $HF_TOKEN say what they say to the client.

    Args:
        handle: `hf://user/name`, or `hf://user/name@revision`.
        names: The files that are needed, beside the metadata.

    Raises:
        PresetError: If the handle is none, or there is no such preset, or it cannot be reached.
        ImportError: If the client is not installed.
    """
    repository, revision = parse(handle)
    folder = _download(handle, repository, METADATA, revision).parent
    try:
        storage.read_metadata(folder)
    except PresetError as kept:
        _download_again(handle, repository, (METADATA,), revision, kept)
        storage.read_metadata(folder)  # Of another kind or of a newer format: that is all we load.
    for name in names:
        # Of the same commit, also if the branch has moved in the meantime.
        _download(handle, repository, name, folder.name)
    try:
        storage.verify_files(folder, names)
    except PresetError as kept:
        _download_again(handle, repository, (METADATA, *names), folder.name, kept)
    return folder


def parse(handle):
    """Return the repository and the revision, or None, of a handle.

    Raises:
        PresetError: If it is none.
    """
    match = _HANDLE.fullmatch(handle)
    if not match or ".." in handle:
        raise PresetError(
            f"`preset` must be hf://user/name or hf://user/name@revision. Received: {handle!r}"
        )
    return match[1], match[2]


def push(model, handle, private=False, metadata=None, half=False):
    """Write a model as a preset into a repository of the hub, which is made if it is missing.

    Args:
        model: An adversarial model.
        handle: `hf://user/name`.
        private: Whether a new repository is private.
        metadata: More entries for metadata.json.
        half: Whether the weights are rounded to float16.

    Returns:
        The address of the commit.

    Raises:
        PresetError: If the handle is none, or the hub refuses: `hf auth login`.
        ImportError: If the client is not installed.
    """
    repository, revision = parse(handle)
    client, errors = _client()
    api = client.HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="kerasgan")
    with tempfile.TemporaryDirectory() as folder:
        storage.write_preset(model, folder, metadata, half)
        try:
            api.create_repo(repository, private=private, exist_ok=True)
            if not api.file_exists(repository, "README.md", revision=revision):
                text = CARD.format(repository=repository)
                Path(folder, "README.md").write_text(text, encoding="utf-8")
            return api.upload_folder(
                repo_id=repository,
                folder_path=folder,
                revision=revision,
                commit_message="Upload a kerasgan preset",
            )
        except (errors.HTTPError, errors.HFValidationError, OSError) as error:
            raise PresetError(
                f"{handle} cannot be written (is there a token? hf auth login): {_short(error)}"
            ) from error


def _download(handle, repository, name, revision, force=False):
    client, errors = _client()
    try:
        # The client asks a busy server again by itself.
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
            f"{handle} cannot be reached and is not in the cache: {_short(error)}"
        ) from error
    except errors.EntryNotFoundError as error:
        raise PresetError(f"{handle} is no kerasgan preset: it has no {name}.") from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise PresetError(
            f"{handle} does not exist, or is private (hf auth login): {_short(error)}"
        ) from error
    except (errors.HTTPError, OSError, ValueError) as error:
        raise PresetError(f"{handle} cannot be downloaded: {_short(error)}") from error
    # A file, or a link to one: what a server calls its content must not lead elsewhere.
    path = Path(path)
    if path.resolve().parent not in (path.parent.resolve(), (path.parents[2] / "blobs").resolve()):
        raise PresetError(f"{handle} was stored outside of the cache: {path.resolve()}")
    return path


def _download_again(handle, repository, names, revision, kept):
    """Replace files of the cache that are wrong, as the error `kept` says."""
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
            "presets on a hub need one package more: pip install 'kerasgan[hub]'"
        ) from error
    return huggingface_hub, errors


def _short(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"
