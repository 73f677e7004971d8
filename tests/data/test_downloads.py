"""Downloads, from a server on this machine: the set arrives checked, once.

What goes wrong says so and leaves nothing behind.
"""

import gzip
import hashlib
import io
import struct
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("pooch")
from dlscratch.data import cifar10, downloads, fashion_mnist, mnist, tiny_shakespeare  # noqa: E402

TEXT = "Whether 'tis nobler — ".encode() * 40


def idx(array):
    return (
        struct.pack(">HBB", 0, 8, array.ndim)
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def digits(rng, n):
    return idx(rng.integers(0, 256, (n, 28, 28), np.uint8)), idx(
        rng.integers(0, 10, n).astype(np.uint8)
    )


def cifar(rng, n=4):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name in (
            "test_batch",
            *(f"data_batch_{i}" for i in range(1, 6)),
        ):  # in another order than they are read
            record = np.concatenate(
                [rng.integers(0, 10, (n, 1)), rng.integers(0, 256, (n, 3072))], axis=1
            ).astype(np.uint8)
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = record.size
            archive.addfile(member, io.BytesIO(record.tobytes()))
    return file.getvalue()


@pytest.fixture
def web(monkeypatch, tmp_path):
    """A server of `files`, its log, and the registry turned towards it; an empty cache."""
    rng = np.random.default_rng(0)
    plain = {"tinyshakespeare.txt": TEXT, "cifar-10-binary.tar.gz": cifar(rng)}
    for part, n in (("train", 6), ("t10k", 3)):
        plain[f"{part}-images-idx3-ubyte"], plain[f"{part}-labels-idx1-ubyte"] = digits(rng, n)
    site = SimpleNamespace(files={}, log=[], missing=0, plain=plain, cache=tmp_path / "cache")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            site.log.append(self.path)
            body = site.files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"") + site.missing))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    registry = {}
    for name, entries in downloads.FILES.items():
        registry[name] = {}
        for file, (url, _) in entries.items():
            path = f"/{name}/{url.rsplit('/')[-1]}"
            site.files[path] = gzip.compress(plain[file]) if "ubyte" in file else plain[file]
            registry[name][file] = (
                f"http://127.0.0.1:{server.server_port}{path}",
                hashlib.sha256(plain[file]).hexdigest(),
            )
    monkeypatch.setattr(downloads, "FILES", registry)
    monkeypatch.setenv("DLSCRATCH_DATA", str(site.cache))
    monkeypatch.delenv("DLSCRATCH_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def left(folder):
    return sorted(f.name for f in folder.rglob("*") if f.is_file())


def test_the_registry_names_whole_hashes_and_safe_addresses():
    entries = [e for files in downloads.FILES.values() for e in files.values()]
    assert len(entries) == len({sha for _, sha in entries}) == 10
    assert all(url.startswith("https://") and len(bytes.fromhex(sha)) == 32 for url, sha in entries)


@pytest.mark.parametrize("load, name", [(mnist, "mnist"), (fashion_mnist, "fashion_mnist")])
def test_digits_arrive_and_stay(web, load, name):
    X, y, X_test, y_test = load()
    assert (
        X.shape == (6, 28, 28)
        and X_test.shape == (3, 28, 28)
        and X.dtype == np.float32
        and y.dtype == np.int64
    )
    pixels = np.frombuffer(web.plain["train-images-idx3-ubyte"][16:], np.uint8).reshape(6, 28, 28)
    assert np.array_equal(np.rint(255 * X), pixels) and y_test.tolist() == list(
        web.plain["t10k-labels-idx1-ubyte"][8:]
    )
    assert len(web.log) == 4 and left(web.cache / name) == sorted(downloads.FILES[name])
    load()
    assert len(web.log) == 4  # the second time nothing is asked for


def test_colour_photographs_arrive(web):
    X, y, X_test, y_test = cifar10()
    assert (
        X.shape == (20, 3, 32, 32)
        and X_test.shape == (4, 3, 32, 32)
        and 0 <= X.min() < 0.01
        and 0.99 < X.max() <= 1
    )
    assert y.shape == (20,) and y.dtype == np.int64 and y_test.max() < 10
    with tarfile.open(fileobj=io.BytesIO(web.plain["cifar-10-binary.tar.gz"])) as archive:
        record = archive.extractfile("cifar-10-batches-bin/data_batch_2.bin").read()[:3073]
    assert y[4] == record[0] and np.rint(255 * X[4]).ravel().tolist() == list(record[1:])


def test_text_arrives(web):
    assert tiny_shakespeare() == TEXT.decode()


def test_a_wrong_file_is_refused_and_leaves_nothing(web):
    web.files["/tiny_shakespeare/input.txt"] = TEXT + b"!"
    with pytest.raises(
        ValueError,
        match="input.txt was refused and nothing of it kept.*" + hashlib.sha256(TEXT).hexdigest(),
    ):
        tiny_shakespeare()
    assert left(web.cache) == []
    web.files["/mnist/train-images-idx3-ubyte.gz"] = web.files["/mnist/train-images-idx3-ubyte.gz"][
        :-9
    ]
    with pytest.raises(ValueError, match="not a whole gzip file"):
        mnist()
    assert left(web.cache) == []


def test_a_download_that_breaks_off_leaves_nothing(web):
    web.missing = 100
    with pytest.raises(ConnectionError, match="could not fetch tinyshakespeare.txt"):
        tiny_shakespeare()
    assert left(web.cache) == []
    web.missing = 0
    assert len(tiny_shakespeare()) == len(TEXT.decode())


def test_a_file_damaged_in_the_cache_is_fetched_anew(web):
    tiny_shakespeare()
    (web.cache / "tiny_shakespeare" / "tinyshakespeare.txt").write_bytes(TEXT[:-1])
    assert tiny_shakespeare() == TEXT.decode() and len(web.log) == 2


@pytest.mark.parametrize(
    "folder, zipped", [("", True), ("", False), ("mnist", True), ("mnist", False)]
)
def test_a_mirror_is_copied_and_the_network_left_alone(web, monkeypatch, tmp_path, folder, zipped):
    place = tmp_path / "mirror" / folder
    place.mkdir(parents=True)
    for file in downloads.FILES["mnist"]:
        data = web.plain[file]
        (place / (file + ".gz" * zipped)).write_bytes(
            gzip.compress(data, 1, mtime=5) if zipped else data
        )
    monkeypatch.setenv("DLSCRATCH_MIRROR", str(tmp_path / "mirror"))
    assert mnist().X_train.shape == (6, 28, 28) and web.log == []
    monkeypatch.delenv("DLSCRATCH_MIRROR")
    assert mnist().X_test.shape == (3, 28, 28) and web.log == []  # from the cache


def test_what_the_mirror_lacks_is_downloaded_and_what_it_has_is_checked(web, monkeypatch, tmp_path):
    monkeypatch.setenv("DLSCRATCH_MIRROR", str(tmp_path))
    assert tiny_shakespeare() == TEXT.decode() and len(web.log) == 1
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="cifar10: .*cifar-10-binary.tar.gz was refused"):
        cifar10()
    assert len(web.log) == 1 and left(web.cache) == ["tinyshakespeare.txt"]
    monkeypatch.setenv("DLSCRATCH_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(NotADirectoryError, match="DLSCRATCH_MIRROR=.*nowhere is not a folder"):
        cifar10()


@pytest.mark.parametrize("load", [mnist, fashion_mnist, cifar10, tiny_shakespeare])
def test_offline_one_sentence_names_both_ways_out(monkeypatch, tmp_path, load):
    """The suite's own guard is the missing network: these are the real addresses."""
    monkeypatch.setenv("DLSCRATCH_DATA", str(tmp_path))
    monkeypatch.delenv("DLSCRATCH_MIRROR", raising=False)
    for proxy in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(proxy, raising=False)
    with pytest.raises(ConnectionError) as error:
        load()
    message = str(error.value)
    assert (
        "DLSCRATCH_MIRROR (now not set)" in message
        and f"DLSCRATCH_DATA (now {tmp_path})" in message
        and "\n" not in message
    )
    assert left(tmp_path) == []


def test_a_missing_page_is_no_data(web):
    web.files.clear()
    with pytest.raises(ConnectionError, match="HTTPError"):
        tiny_shakespeare()
    assert left(web.cache) == []


def test_the_bar_is_drawn_on_stdout_and_can_be_silenced(web, monkeypatch, capsys):
    monkeypatch.setenv("DLSCRATCH_PROGRESS", "0")
    tiny_shakespeare()
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("DLSCRATCH_PROGRESS", "1")
    cifar10()
    assert "cifar-10-binary.tar.gz: " in capsys.readouterr().out


def test_where_the_files_lie_by_default(monkeypatch, tmp_path):
    import pooch

    monkeypatch.delenv("DLSCRATCH_DATA", raising=False)
    module = tmp_path / "dlscratch" / "data" / "downloads.py"
    monkeypatch.setattr(downloads, "__file__", str(module))
    assert downloads.cache() == pooch.os_cache("dlscratch")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "README.md").touch()
    assert downloads.cache() == (tmp_path / "data").resolve()


def test_without_pooch_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match="pip install pooch"):
        mnist()
