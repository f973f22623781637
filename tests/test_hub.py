"""Presets on a hub: a small server on this machine stands for it."""

import base64
import hashlib
import http.server
import json
import re
import threading

import numpy as np
import pytest

import kerasgan
from kerasgan import hub, networks, storage
from kerasgan.presets import PresetError

pytest.importorskip("huggingface_hub")

COMMIT = "c0ffee" + 34 * "0"


class Hub(http.server.ThreadingHTTPServer):
    """Answers what the client asks of a hub; `files` is what its one repository holds."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.failures, self.asked, self.made = {}, 0, [], []
        self.cut = None
        self.climb = ""
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def _answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: self.server.cut])

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        server = self.server
        server.asked.append((self.command, self.path))
        if server.failures:
            server.failures -= 1
            return self._answer(503, b"busy")
        repository, _, rest = self.path.lstrip("/").partition("/resolve/")
        if repository != "someone/faces":
            return self._answer(404, X_Error_Code="RepoNotFound")
        revision, _, name = rest.partition("/")
        if revision not in ("main", COMMIT):
            return self._answer(404, X_Error_Code="RevisionNotFound")
        if name not in server.files:
            return self._answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)
        data = server.files[name]
        tag = server.climb + hashlib.sha256(data).hexdigest()
        return self._answer(200, data, X_Repo_Commit=COMMIT, ETag=f'"{tag}"')

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.command, self.path))
        if self.headers.get("Authorization") != "Bearer secret":
            return self._answer(401, b'{"error": "who are you?"}')
        if self.path == "/api/repos/create":
            self.server.made.append(json.loads(body))
            answer = {"url": f"{self.server.address}/someone/faces"}
        elif "/preupload/" in self.path:
            named = [file["path"] for file in json.loads(body)["files"]]
            answer = {
                "files": [
                    {"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in named
                ]
            }
        elif "/commit/" in self.path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    content = base64.b64decode(entry["value"]["content"])
                    self.server.files[entry["value"]["path"]] = content
            answer = {
                "commitUrl": f"{self.server.address}/someone/faces/commit/{COMMIT}",
                "commitOid": COMMIT,
            }
        else:
            answer = {}
        return self._answer(200, json.dumps(answer).encode(), Content_Type="application/json")


@pytest.fixture
def server(monkeypatch, tmp_path):
    with Hub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "secret")
        # The client asks again after pauses that grow.
        monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
        yield server
        server.shutdown()


@pytest.fixture
def gan():
    return kerasgan.GAN(*networks.mlp(8, 1, latent_dim=4, width=8, depth=1, critic_norm=None))


@pytest.fixture
def folder(gan, tmp_path):
    gan.save_to_preset(tmp_path / "preset")
    return tmp_path / "preset"


@pytest.fixture
def filled(server, folder):
    server.files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return server


def gets(server):
    asked = [path for command, path in server.asked if command == "GET" and "/resolve/" in path]
    return [path.rsplit("/", 1)[1] for path in asked]


@pytest.mark.parametrize("handle", ["hf://someone/faces", f"hf://someone/faces@{COMMIT}"])
def test_a_preset_is_downloaded_and_kept(filled, gan, handle):
    loaded = kerasgan.from_preset(handle)
    np.testing.assert_array_equal(loaded.sample(3, seed=1), gan.sample(3, seed=1))
    assert gets(filled) == ["metadata.json", "config.json", "model.weights.h5"]
    kerasgan.from_preset(handle)
    assert len(gets(filled)) == 3


def test_weights_are_left_where_nobody_needs_them(filled):
    kerasgan.from_preset("hf://someone/faces", load_weights=False)
    assert "model.weights.h5" not in gets(filled)


def test_without_a_network_the_cache_is_used(filled, gan):
    kerasgan.from_preset("hf://someone/faces")
    filled.shutdown()
    filled.server_close()
    again = kerasgan.from_preset("hf://someone/faces")
    np.testing.assert_array_equal(again.sample(3, seed=1), gan.sample(3, seed=1))
    with pytest.raises(PresetError, match="cannot be reached and is not in the cache"):
        kerasgan.from_preset("hf://someone/else")


def test_a_server_that_is_busy_is_asked_again(filled):
    filled.failures = 2
    kerasgan.from_preset("hf://someone/faces")


def test_a_server_that_stays_busy_is_an_error(filled):
    filled.failures = 1000
    with pytest.raises(PresetError, match="hf://someone/faces cannot be"):
        kerasgan.from_preset("hf://someone/faces")


@pytest.mark.parametrize("name", ["metadata.json", "config.json", "model.weights.h5"])
def test_a_file_damaged_in_the_cache_is_downloaded_again(filled, gan, tmp_path, name):
    kerasgan.from_preset("hf://someone/faces")
    file = next((tmp_path / "cache").glob(f"**/snapshots/*/{name}")).resolve()
    file.write_bytes(file.read_bytes()[:-100])
    again = kerasgan.from_preset("hf://someone/faces")
    np.testing.assert_array_equal(again.sample(3, seed=1), gan.sample(3, seed=1))


@pytest.mark.parametrize("name", ["metadata.json", "model.weights.h5"])
def test_a_file_damaged_in_the_cache_without_a_network_is_an_error(filled, tmp_path, name):
    kerasgan.from_preset("hf://someone/faces")
    file = next((tmp_path / "cache").glob(f"**/snapshots/*/{name}")).resolve()
    file.write_bytes(file.read_bytes()[:-100])
    filled.shutdown()
    filled.server_close()
    with pytest.raises(PresetError, match=rf"{name}.* could not be downloaded again"):
        kerasgan.from_preset("hf://someone/faces")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_file_that_is_not_the_published_one_is_refused(filled, name):
    filled.files[name] = filled.files[name][:-7] + b"altered"
    with pytest.raises(PresetError, match="damaged or was altered"):
        kerasgan.from_preset("hf://someone/faces")


def test_other_repositories_are_refused_before_they_are_downloaded(filled):
    with pytest.raises(PresetError, match="does not exist, or is private"):
        kerasgan.from_preset("hf://someone/else")
    with pytest.raises(PresetError, match="does not exist"):
        kerasgan.from_preset("hf://someone/faces@other")
    metadata = filled.files.pop("metadata.json")
    with pytest.raises(PresetError, match=r"not a kerasgan preset: it has no metadata\.json"):
        kerasgan.from_preset("hf://someone/faces")
    newer = {**json.loads(metadata), "format": storage.FORMAT + 1}
    filled.files["metadata.json"] = json.dumps(newer).encode()
    with pytest.raises(PresetError, match="pip install --upgrade"):
        kerasgan.from_preset("hf://someone/faces")
    assert set(gets(filled)) <= {"metadata.json"}


def test_a_server_that_climbs_out_of_the_cache_gives_nothing(filled):
    filled.climb = "../../../climbed-"
    with pytest.raises(PresetError, match="stored outside of the cache"):
        kerasgan.from_preset("hf://someone/faces")


def test_a_connection_that_breaks_is_an_error(filled, tmp_path):
    filled.cut = 500
    with pytest.raises(PresetError, match="cannot be downloaded"):
        kerasgan.from_preset("hf://someone/faces")
    assert not list((tmp_path / "cache").glob("**/snapshots/*/model.weights.h5"))


def test_a_hub_that_cannot_be_reached_is_an_error(server, folder):
    server.shutdown()
    server.server_close()
    with pytest.raises(PresetError, match="cannot be written"):
        hub.upload_preset("hf://someone/faces", folder)


@pytest.mark.parametrize(
    "handle", ["hf://a--b/c", "hf://a/b.git", "hf://a/b-", "hf://a/" + 97 * "b"]
)
def test_names_that_the_hub_does_not_take(server, handle):
    with pytest.raises(PresetError, match=re.escape(handle)):
        kerasgan.from_preset(handle)


def test_a_preset_on_the_hub_can_be_verified(filled, monkeypatch, capsys, backend_name):
    from kerasgan_cli import main

    monkeypatch.setenv("KERAS_BACKEND", backend_name)
    with pytest.raises(SystemExit) as stop:
        main(["zoo", "verify", "hf://someone/faces"])
    assert stop.value.code == 0, capsys.readouterr()


@pytest.mark.parametrize(
    "handle",
    ["hf://faces", "hf://a/b/c", "hf://../../etc/passwd", "hf://a/..", "hf://a/b@../../x", "hf://"],
)
def test_handles_that_are_none(server, handle):
    with pytest.raises(PresetError, match=r"hf://user/name"):
        kerasgan.from_preset(handle)
    assert server.asked == []


def test_a_preset_is_uploaded_and_comes_back(server, gan, folder):
    (folder / ".hidden").write_text("mine")
    address = hub.upload_preset("hf://someone/faces", folder, private=True)
    assert str(address).endswith(COMMIT)
    assert server.made[0]["visibility"] == "private"
    assert set(server.files) == {storage.METADATA, *storage.FILES, "README.md"}
    assert "hf://someone/faces" in server.files["README.md"].decode()
    assert not (folder / "README.md").exists()
    loaded = kerasgan.from_preset("hf://someone/faces")
    np.testing.assert_array_equal(loaded.sample(3, seed=1), gan.sample(3, seed=1))


def test_a_readme_of_the_hub_is_kept_unless_the_folder_has_one(server, folder):
    server.files["README.md"] = b"of the hub"
    hub.upload_preset("hf://someone/faces", folder)
    assert server.files["README.md"] == b"of the hub"
    (folder / "README.md").write_text("of the folder")
    hub.upload_preset("hf://someone/faces", folder)
    assert server.files["README.md"] == b"of the folder"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "golden.npz").unlink(), r"lacks a file.*golden\.npz"),
        (lambda folder: (folder / "config.json").write_text("{}"), "damaged or was altered"),
        (lambda folder: (folder / "metadata.json").unlink(), r"has no metadata\.json"),
    ],
)
def test_a_folder_that_is_not_a_whole_preset_is_not_uploaded(server, folder, damage, message):
    damage(folder)
    with pytest.raises(PresetError, match=message):
        hub.upload_preset("hf://someone/faces", folder)
    assert server.asked == [] and server.files == {}


def test_a_malformed_handle_is_not_uploaded_to(server, folder):
    with pytest.raises(PresetError, match=r"`handle` must be hf://user/name.*Received: 'faces'"):
        hub.upload_preset("faces", folder)
    assert server.asked == []


def test_an_upload_without_a_token_says_so(server, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "wrong")
    with pytest.raises(PresetError, match="hf auth login"):
        hub.upload_preset("hf://someone/faces", folder)
    assert server.files == {}
