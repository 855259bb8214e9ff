"""What a file really is, told by its first bytes: for messages about files that are something else."""

import io
import zipfile
from typing import IO, NamedTuple

from minilift.errors import InputError
from minilift.files import PathLike, file_error, one_line

SAVE_AGAIN = "save it with torch.save(model.state_dict(), path)"
"""What to do with weights in a file that cannot be read, or is none."""
_START = 4096  # bytes that are looked at


class Kind(NamedTuple):
    """A kind of file: a short name for programs, words for people, and what to do where it is in the way."""

    name: str
    words: str
    remedy: str = ""


_GZIP = Kind("gzip", "a gzip-compressed file", "unpack it first: gunzip")
_DOWNLOAD = "it is what a failed download leaves; download the file itself"

# Longest first where one begins like another
_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (b"version https://git-lfs.github.com/spec/", Kind(
        "lfs", "a Git LFS pointer, not the file that it points to", "fetch that with: git lfs pull")),
    (b"/annex/objects/", Kind(
        "annex", "a git-annex pointer, not the file that it points to", "fetch that with: git annex get")),
    (b"\x1f\x8b", _GZIP),
    (b"BZh", Kind("bzip2", "a bzip2-compressed file", "unpack it first: bunzip2")),
    (b"\xfd7zXZ\x00", Kind("xz", "an xz-compressed file", "unpack it first: unxz")),
    (b"\x28\xb5\x2f\xfd", Kind("zstd", "a Zstandard-compressed file", "unpack it first: unzstd")),
    (b"\x04\x22\x4d\x18", Kind("lz4", "an LZ4-compressed file", "unpack it first: unlz4")),
    (b"7z\xbc\xaf\x27\x1c", Kind("7z", "a 7-Zip archive", "unpack it first")),
    (b"Rar!\x1a\x07", Kind("rar", "a RAR archive", "unpack it first")),
    (b"\x93NUMPY", Kind("npy", "a .npy file: one NumPy array")),
    (b"\x89HDF\r\n\x1a\n", Kind("hdf5", "an HDF5 file")),
    (b"MATLAB 5.0 MAT-file", Kind("matlab", "a MATLAB file")),
    (b"\x89PNG\r\n\x1a\n", Kind("picture", "a PNG picture")),
    (b"\xff\xd8\xff", Kind("picture", "a JPEG picture")),
    (b"GIF8", Kind("picture", "a GIF picture")),
    (b"%PDF-", Kind("pdf", "a PDF document")),
    (b"SQLite format 3\x00", Kind("sqlite", "an SQLite data base")),
    (b"Kaydara FBX Binary", Kind("fbx", "an FBX file")),
    (b"glTF", Kind("gltf", "a glTF file")),
    (b"PAR1", Kind("parquet", "a Parquet table")),
    (b"\x7fELF", Kind("program", "a program")),
    (b"MZ", Kind("program", "a Windows program")),
    (b"HIERARCHY", Kind("bvh", "a BVH motion clip")),
)  # fmt: skip
_LEGACY_TORCH = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_PICKLE = Kind("pickle", "a pickle")
# Protocols 0 and 1 have no mark of their own: a dict, a list, or the name of the first object's class
_OLD_PICKLES = (b"(dp", b"(lp", b"}q\x00", b"]q\x00", b"ccollections\n", b"cnumpy", b"ccopy_reg\n")
_OTHER = Kind("unknown", "a file of no kind that is known here")


def kind_of(file: IO[bytes] | bytes) -> Kind:
    """What the file, or its whole content, is. It never fails: what is not known is "unknown"."""
    if isinstance(file, bytes):
        file = io.BytesIO(file)
    file.seek(0)
    start = file.read(_START)
    if not start:
        return Kind("empty", "an empty file", "write or copy it again")
    if not start.strip(b"\0"):
        zeros = "a file of zero bytes" if len(start) == _START else f"{len(start)} zero bytes"
        return Kind("zeros", zeros, "it is what an interrupted copy leaves; copy it again")
    for beginning, kind in _BEGINNINGS:
        if start.startswith(beginning):
            return kind
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_kind(file)
    if _LEGACY_TORCH in start[:64]:
        return Kind("torch", "a PyTorch file of before version 1.6")
    if start[257:262] == b"ustar":
        return Kind("tar", "a tar archive", "unpack it first: tar xf")
    # Before pickles: the length of its header may begin with a pickle's first bytes
    if len(start) > 9 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 27:
        return Kind("safetensors", "a safetensors file")
    if start[:1] == b"\x80" and start[1:2] in b"\x01\x02\x03\x04\x05" and len(start) > 2:
        return _PICKLE
    if start.startswith(_OLD_PICKLES):
        return _PICKLE
    if start[1:2] == b"\x50" and start[512:513] and b"\0" in start[:512]:
        return Kind("c3d", "a C3D motion capture file")
    return _text_kind(start) or _OTHER


def wrong_kind(
    path: PathLike, content: IO[bytes] | bytes, wanted: str, remedy: str, why: str = "", own: str = ""
) -> InputError:
    """The InputError for a file that is not `wanted` ("a BVH file"): what it is instead, and what to do.

    `why` is what its reader found wrong with it: told for a file of the kind `own`, which has a fault, and
    for one of no known kind.
    """
    kind = kind_of(content)
    if kind.name in (own, _OTHER.name):
        return file_error(path, f"is not {wanted}{f' ({why})' if why else ''}; {remedy}")
    return file_error(path, f"is {kind.words}, not {wanted}; {kind.remedy or remedy}")


def _zip_kind(file: IO[bytes]) -> Kind:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    # zipfile raises a dozen kinds for a damaged archive.
    except Exception:
        return Kind("zip", "a damaged or incomplete zip file", "copy or save it again")
    if any(name.endswith("/data.pkl") or name == "data.pkl" for name in names):
        if any(name.endswith("/constants.pkl") for name in names):
            return Kind("torchscript", "a TorchScript archive")
        return Kind("torch", "a PyTorch file")
    if "meta.npy" in names and any(name.startswith(("network.", "optimiser.")) for name in names):
        return Kind("npz", "a training checkpoint", "name the liftModel that the run wrote")
    if names and all(name.endswith(".npy") for name in names):
        return Kind("npz", "a .npz file of NumPy arrays")
    for part, words in (("word/", "a Word document"), ("xl/", "an Excel table"), ("keras", "a Keras file")):
        if any(name.startswith(part) or name.endswith("." + part) for name in names):
            return Kind("zip", words)
    shown = one_line(", ".join(names[:3]), 60) + (", ..." if len(names) > 3 else "")
    return Kind("zip", f"a zip file of other things ({shown or 'nothing'})", "unpack it first")


def _text_kind(start: bytes) -> Kind | None:
    """What a text is, or None where it is none."""
    text = _decoded(start)
    if text is None:
        return None
    words = text.lstrip("\ufeff \t\r\n")
    lower = words[:200].lower()
    if lower.startswith(("<!doctype html", "<html")) or "<html" in lower:
        return Kind("html", "an HTML page", _DOWNLOAD)
    if lower.startswith("<?xml"):
        return Kind("xml", "an XML file")
    if words.startswith(("{", "[")):
        return Kind("json", "a JSON text")
    lines = [line.strip() for line in words.splitlines() if line.strip()] or [""]
    plain = [line.lower() for line in lines if not line.startswith("#")] or [""]
    if plain[0].startswith("hierarchy"):
        return Kind("bvh", "a BVH motion clip")
    if any(line.startswith((":version", ":name", ":units", ":root", ":bonedata")) for line in plain):
        return Kind("asf", "an ASF skeleton")
    if any(line.startswith((":fully-specified", ":degrees", ":radians")) for line in plain):
        return Kind("amc", "an AMC motion clip")
    if "epoch" in lines[0].split(","):
        return Kind("log", "a training log")
    return Kind("text", f"a text file that begins {one_line(lines[0], 40)!r}")


def _decoded(start: bytes) -> str | None:
    """The text that the bytes are, or None."""
    encodings = ("utf-16",) if start[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8", "cp1252")
    for encoding in encodings:
        for end in range(4 if len(start) == _START else 1):  # a letter may be cut in two
            try:
                text = start[: len(start) - end].decode(encoding)
            except UnicodeError:
                continue
            if all(c.isprintable() or c in "\t\r\n\f\v\ufeff" for c in text):
                return text
    return None
