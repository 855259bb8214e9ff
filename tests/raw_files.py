"""Files put together by hand, byte by byte, for the tests of damaged and hostile ones."""

import io
import pickle
import struct
import zipfile

import numpy as np

from minilift.files.torch_write import write_torch


def zipped(members, compression=zipfile.ZIP_STORED):
    """A zip file of {name: bytes}."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def parts(content):
    """The {name: bytes} of a zip file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def npz(arrays, save=np.savez):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def npy(header, data=b"", version=1):
    """A .npy file with any header."""
    head = header.encode()
    size = struct.pack("<H" if version == 1 else "<I", len(head))
    return b"\x93NUMPY" + bytes([version, 0]) + size + head + data


def npy_header(shape, descr="<f4"):
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"


def torch_file(state):
    file = io.BytesIO()
    write_torch(file, state)
    return file.getvalue()


def tensor_pickle(size, stride, offset=0, count=4, key="0", kind=b"torch\nFloatStorage\n"):
    """data.pkl of {'a': one tensor} over a storage of 4 floats, every number free to be wrong."""

    def plain(value):
        return pickle.dumps(value, 2)[2:-1]

    storage = b"(" + plain("storage") + b"c" + kind + plain(key) + plain("cpu") + plain(count) + b"tQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + plain(offset) + plain(size) + plain(stride)
    return b"\x80\x02}(" + plain("a") + call + b"\x89}tRu."


def mutations(rng, seeds, count):
    """Each time one of `seeds` with bytes changed, cut, doubled, or taken from another one."""
    for _ in range(count):
        content = bytearray(seeds[rng.integers(len(seeds))])
        for _ in range(rng.integers(1, 4)):
            at, kind = int(rng.integers(len(content))), rng.integers(4)
            length = int(rng.integers(1, 12))
            if kind == 0:
                content[at] = rng.integers(256)
            elif kind == 1 and len(content) > 2 * length:
                del content[at : at + length]
            elif kind == 2:
                content[at:at] = content[at : at + length]
            else:
                other = seeds[rng.integers(len(seeds))]
                start = int(rng.integers(len(other)))
                content[at : at + length] = other[start : start + length]
        yield bytes(content)
