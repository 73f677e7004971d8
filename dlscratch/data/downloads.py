"""Published sets, downloaded once and checked by SHA-256.

What they are, whence, and their licences: data/README.md. DLSCRATCH_DATA names the folder
where they are kept (default: the clone's data/, else the user's cache folder);
DLSCRATCH_MIRROR names a folder to copy from in place of the network, flat or with one folder
a set; it may hold files gzipped or plain. A file is checked unzipped, for the same digits
come in gzip wrappers of several dates.
"""

import os
import shutil
from pathlib import Path

import numpy as np

from ..engine import default_dtype
from ..progress import bar
from .formats import gunzip, read_cifar10, read_idx
from .split import Split

__all__ = ["mnist", "fashion_mnist", "cifar10", "tiny_shakespeare"]


def _idx(folder, *hashes):
    """The four files of a set like MNIST: {name in the cache: (address, SHA-256 unzipped)}."""
    names = (
        "train-images-idx3-ubyte train-labels-idx1-ubyte "
        "t10k-images-idx3-ubyte t10k-labels-idx1-ubyte"
    ).split()
    return {
        name: (f"{folder}/{name}.gz", sha256) for name, sha256 in zip(names, hashes, strict=True)
    }


_GITHUB = "https://raw.githubusercontent.com"
FILES = {
    "mnist": _idx(
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion_mnist": _idx(
        f"{_GITHUB}/zalandoresearch/fashion-mnist/master/data/fashion",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    "cifar10": {
        "cifar-10-binary.tar.gz": (
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        )
    },
    "tiny_shakespeare": {
        "tinyshakespeare.txt": (
            f"{_GITHUB}/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        )
    },
}


def mnist() -> Split:
    """Handwritten digits, cut as published; 11 MB to download once.

    X_train: (60000, 28, 28) from 0 (paper) to 1 (ink), y_train: (60000,), classes 0 to 9;
    X_test: (10000, 28, 28), y_test: (10000,).

    Raises ConnectionError offline, ValueError for a file with another SHA-256, ImportError
    without pooch.
    Source: LeCun, Cortes & Burges 1998.
    """
    return _like_mnist("mnist")


def fashion_mnist() -> Split:
    """Articles of clothing in the place of MNIST's digits; 30 MB to download once.

    Shapes and errors as in `mnist`. Source: Xiao, Rasul & Vollgraf 2017.
    """
    return _like_mnist("fashion_mnist")


def cifar10() -> Split:
    """Colour photographs in ten classes; 170 MB to download once.

    X_train: (50000, 3, 32, 32) from 0 to 1, y_train: (50000,); X_test: (10000, 3, 32, 32).
    Errors as in `mnist`. Source: Krizhevsky 2009.
    """
    return _split(*read_cifar10(_fetch("cifar10", "cifar-10-binary.tar.gz")))


def tiny_shakespeare() -> str:
    """1,115,394 characters of Shakespeare's plays, as one string; 1 MB to download once.

    Errors as in `mnist`. Source: Karpathy, char-rnn, 2015.
    """
    return _fetch("tiny_shakespeare", "tinyshakespeare.txt").read_bytes().decode()


def _like_mnist(name):
    return _split(*(read_idx(_fetch(name, file)) for file in FILES[name]))


def _split(X, y, X_test, y_test):
    """Pixels from 0 to 1, and classes as integers that index."""
    return Split(_scaled(X), y.astype(np.int64), _scaled(X_test), y_test.astype(np.int64))


def _scaled(pixels):
    return np.divide(pixels, 255, dtype=default_dtype())


def _fetch(name, file):
    """The path of a whole and checked file in the cache, fetched first if it is not there."""
    try:
        import pooch
        from requests.exceptions import RequestException
    except ImportError as error:
        raise ImportError(
            f"{name} is downloaded by pooch, which is missing: `pip install pooch`"
        ) from error
    pooch.get_logger().setLevel("WARNING")  # its "Downloading ..." is red in a notebook
    url, sha256 = FILES[name][file]
    source = _in_mirror(name, file) or url
    options = dict(fname=file, path=cache() / name, downloader=_copy)
    try:
        return Path(pooch.retrieve(source, f"sha256:{sha256}", **options))
    except RequestException as error:
        mirror = os.environ.get("DLSCRATCH_MIRROR") or "not set"
        kept = os.environ.get("DLSCRATCH_DATA") or "not set"
        raise ConnectionError(
            f"{name}: could not fetch {file} from {url} ({type(error).__name__}); without network, "
            f"set DLSCRATCH_MIRROR (now {mirror}) to a folder that holds this file, "
            f"or DLSCRATCH_DATA (now {kept}) to a folder that has it in {name}/"
        ) from error
    except ValueError as error:
        raise ValueError(f"{name}: {source} was refused and nothing of it kept. {error}") from error


def cache() -> Path | None:
    """The folder where downloads are kept; None where pooch would name it and is missing."""
    clone = Path(__file__).resolve().parents[2] / "data"
    if os.environ.get("DLSCRATCH_DATA") or (clone / "README.md").exists():
        return Path(os.environ.get("DLSCRATCH_DATA") or clone)
    try:
        import pooch
    except ImportError:
        return None
    return Path(pooch.os_cache("dlscratch"))


def _in_mirror(name, file):
    """The file's path in DLSCRATCH_MIRROR, or None."""
    mirror = os.environ.get("DLSCRATCH_MIRROR")
    if not mirror:
        return None
    if not Path(mirror).is_dir():
        raise NotADirectoryError(
            f"DLSCRATCH_MIRROR={mirror} is not a folder; name one that holds the files, or unset it"
        )
    for folder in (Path(mirror, name), Path(mirror)):
        for place in (folder / file, folder / f"{file}.gz"):
            if place.is_file():
                return str(place)
    return None


def _copy(source, output, _):
    """What pooch calls: fill its temporary file `output`, which it then checks and renames.

    Or it throws it away, if the SHA-256 is another.
    """
    if source.startswith(("http://", "https://")):
        _download(source, output)
    else:
        shutil.copyfile(source, output)
    if not source.endswith(".tar.gz"):
        Path(output).write_bytes(gunzip(Path(output).read_bytes(), source))


def _download(url, output):
    from pooch import HTTPDownloader

    with bar(None, url.rsplit("/")[-1], total=1, unit="B", unit_scale=True) as shown:
        HTTPDownloader(progressbar=shown, chunk_size=1 << 16)(url, output, None)
