"""What a file is, by what stands in it: so that an error can name it.

Sources: the formats' specifications, for the bytes that they begin with.
"""

import io
import zipfile

__all__ = ["filetype"]

_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, as Keras and h5py write (.h5); open it with h5py",
    b"\x93NUMPY": "a NumPy array (.npy); read it with np.load",
    b"GGUF": "a GGUF file, as llama.cpp reads; convert it where it comes from",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; fetch it: git lfs pull",
    b"\x1f\x8b": "a gzip file; unpack it",
    b"BZh": "a bzip2 file; unpack it",
    b"\xfd7zXZ\0": "an xz file; unpack it",
    b"\x28\xb5\x2f\xfd": "a Zstandard file; unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive; unpack it",
    b"PAR1": "a Parquet table; read it with pandas.read_parquet",
    b"ARROW1": "an Arrow file; read it with pyarrow",
    b"SQLite format 3\0": "an SQLite database",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
}
_PYTORCH = (
    "save it from PyTorch as safetensors: safetensors.torch.save_file(model.state_dict(), path)"
)
_MEMBERS = {  # of zip archives
    "data.pkl": f"a PyTorch file (.pt, .pth), which holds a pickle; {_PYTORCH}",
    "model.weights.h5": "a Keras model (.keras); export its weights as arrays",
    ".npy": "an archive of NumPy arrays (.npz); read it with np.load",
}


def filetype(content: bytes) -> str | None:
    """A file's format in words, with what to do about it; None for one that is not known here.

    Examples
    --------
    >>> filetype(b"")
    'an empty file: nothing was ever written to it'
    >>> filetype(b"GGUF....")
    'a GGUF file, as llama.cpp reads; convert it where it comes from'
    """
    if not content:
        return "an empty file: nothing was ever written to it"
    for beginning, name in _BEGINNINGS.items():
        if content.startswith(beginning):
            return name
    if content.startswith(b"PK\x03\x04"):
        return _archive(content)
    pickled = content[:1] == b"\x80" and content[1:2] in (b"\2", b"\3", b"\4", b"\5")
    if pickled and content[2:8].strip(b"\0"):  # else it is the length of a safetensors header
        return f"a pickle, as in old PyTorch files (.pt, .pth, .pkl); {_PYTORCH}"
    if content[257:262] == b"ustar":
        return "a tar archive; unpack it"
    if content[:1] == b"\x08" and content[1:2] < b"\x20" and content[2:3] in (b"\x12", b"\x3a"):
        return "an ONNX model; its weights are among its initializers"
    return _text(content)


def _archive(content):
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except zipfile.BadZipFile:
        return "a zip archive that is cut short (.pt, .npz and .keras files are zip archives)"
    for ending, kind in _MEMBERS.items():
        if any(name.endswith(ending) for name in names):
            return kind
    return "a zip archive; unpack it"


def _text(content):
    beginning = content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if beginning.startswith((b"<!doctype html", b"<html")):
        return (
            "a web page (HTML), which sites send in place of a file that is not there or wants "
            "a login; fetch it anew, and look at it in a browser if it comes again"
        )
    if beginning.startswith(b"<?xml"):
        return "an XML text, which storage sends in place of a file that it refuses; fetch it anew"
    if beginning.startswith((b"{", b"[")):
        return "a JSON text; if it is an index of several files, load these one after another"
    return None
