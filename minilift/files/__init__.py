"""Reading whole files and replacing them safely, with every failure an InputError of one line.

The modules beside this one read and write the formats: .npz, pickles of arrays, PyTorch weights.
"""

import contextlib
import errno
import itertools
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from minilift.errors import InputError

PathLike = str | os.PathLike[str]

_DESCRIPTORS = "/proc/self/fd"
LARGEST_FILE = 8 << 30  # bytes of a file that is read whole; larger sets of poses stay in theirs (mapped.py)


def one_line(text: str, limit: int = 300) -> str:
    """Text from anywhere, fit for a terminal: what is not printable escaped, cut to `limit` characters."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: limit + 1])
    return shown if len(shown) <= limit else shown[:limit] + "..."


def file_error(path: PathLike, problem: str) -> InputError:
    """The InputError that says what is wrong with one file: "PATH: problem; remedy"."""
    return InputError(f"{one_line(os.fspath(path))}: {one_line(problem, 600)}")


def os_error(path: PathLike, error: OSError, remedy: str) -> InputError:
    """An OSError as an InputError: the path, the system's reason and the remedy."""
    return file_error(path, f"{error.strerror or type(error).__name__}; {remedy}")


def read_bytes(path: PathLike, remedy: str = "check the name", first: int | None = None) -> bytes:
    """The whole content of a regular, non-empty file; or its `first` bytes, and then it may be of any size.

    Raises InputError: missing (shows `remedy`), a folder or a device, empty, over LARGEST_FILE, unreadable.
    """
    try:
        status = os.stat(path)  # before open(): opening a named pipe would wait for its writer
        if stat.S_ISDIR(status.st_mode):
            raise file_error(path, "is a folder; name a file in it")
        if not stat.S_ISREG(status.st_mode):
            raise file_error(path, "not a regular file; name a file")
        if status.st_size == 0:
            raise file_error(path, "the file is empty; write or copy it again")
        if first is None and status.st_size > LARGEST_FILE:
            raise file_error(path, f"{status.st_size} bytes, the limit is {LARGEST_FILE}; use a smaller file")
        with open(path, "rb") as file:
            return file.read(first)
    except FileNotFoundError:
        raise file_error(path, f"no such file (working directory {os.getcwd()}); {remedy}") from None
    except (OSError, MemoryError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise file_error(path, f"cannot be read ({reason or type(error).__name__}); check the file") from None


def check_writable(directory: PathLike, output: PathLike = "") -> None:
    """Raise InputError unless files can be made in `directory`, or it can itself be made.

    Nothing stays behind: a missing folder is judged by its nearest existing parent. The error names `output`,
    the file that is to be made there or what the user called it; without one, the folder.
    """
    place = Path(directory)
    named = output or (directory if place.name else place.resolve())  # "." says nothing
    try:
        while not place.exists() and place != place.parent:
            place = place.parent
        if not place.is_dir():
            raise file_error(named, f"{place} is not a folder; choose another output folder")
        probe = _temporary(place)
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        probe.unlink()
    except OSError as error:
        remedy = "choose an output folder that can be written"
        if not output:
            raise os_error(named, error, remedy) from None
        reason = error.strerror or type(error).__name__
        raise file_error(named, f"no file can be made in {place.resolve()} ({reason}); {remedy}") from None


def write_atomically(path: PathLike, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file in the same folder, flush it to disk, rename it to `path`.

    A reader sees the old file or the new one, never half of one; on any failure, Ctrl-C included, the
    old file stays and the temporary one goes. After a kill it is gone too, where the system knows files
    without a name. A link is followed, an existing file keeps its mode, a missing folder is made. Raises
    InputError for what the system refuses (disk full, no permission).
    """
    target = Path(os.path.realpath(path))
    try:
        # os.replace as root would turn /dev/null into a plain file.
        if target.exists() and not target.is_file():
            raise file_error(path, "is not a regular file; choose another name")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(target.parent)
        try:
            with _opened(temporary) as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
                if not temporary.exists():
                    _name(file, temporary)
            if target.exists():
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free some space" if full else "choose a place that can be written"
        kept = ", the old file is untouched" if target.is_file() else ""
        raise os_error(path, error, f"{remedy}{kept}") from None
    _sync_directory(target.parent)


def keep_old(path: PathLike) -> Path:
    """Give a file that is about to be replaced a second name, and return it: the first that is free.

    The names are PATH.old, PATH.old2, PATH.old3, ... Takes no space where the file system knows hard links.
    Raises InputError for what the system refuses.
    """
    target = Path(path)
    names = (target.with_name(f"{target.name}.old{'' if n == 1 else n}") for n in itertools.count(1))
    old = next(name for name in names if not os.path.lexists(name))
    temporary = _temporary(target.parent)
    try:
        try:
            os.link(target, temporary)
        except OSError:
            shutil.copy2(target, temporary)
        os.replace(temporary, old)
        return old
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise os_error(old, error, "move the file away, or choose another output folder") from None


@contextlib.contextmanager
def only_one(directory: PathLike) -> Iterator[None]:
    """Within it, no other process gets into `only_one` of the same folder: it raises InputError.

    The lock is the system's own on the folder: it leaves no file, and a killed process leaves no lock.
    """
    Path(directory).mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = "another run is writing to this folder; wait for it, or choose another folder"
            raise file_error(directory, problem) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(handle)


def _temporary(directory: Path) -> Path:
    """A name no one else uses, hidden, in the folder where the file will end (one file system)."""
    return directory / f".minilift-{os.urandom(6).hex()}.tmp"


def _opened(temporary: Path) -> BinaryIO:
    """A new file in that folder, to be written: on Linux without a name, so that a kill leaves nothing."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir(_DESCRIPTORS):
        with contextlib.suppress(OSError):  # a file system that has no such files, or a fault that open tells
            return os.fdopen(os.open(temporary.parent, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    return open(temporary, "xb")


def _name(file: BinaryIO, path: Path) -> None:
    """Give a file without a name one. Where the system refuses that, the file is copied."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # only with a folder's descriptor does Python let the system follow the link to the file
        os.link(f"{_DESCRIPTORS}/{file.fileno()}", path.name, dst_dir_fd=folder)
    except OSError:
        file.seek(0)
        with open(path, "xb") as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(copy.fileno())
    finally:
        os.close(folder)


def _sync_directory(directory: Path) -> None:
    """Make the rename itself durable; systems that cannot open a folder skip this."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
