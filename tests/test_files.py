"""Files are replaced whole or not at all, and every refusal of the system is one clear line."""

import errno
import os
import re
import stat
import subprocess
import sys

import numpy as np
import pytest
from conftest import make_poses

from minilift import files
from minilift.errors import InputError
from minilift.files.checkpoint import save_checkpoint
from minilift.files.weights import save_state_dict
from minilift.poses.poses import save_poses, save_scale

ARRAYS = {"a": np.zeros(3, np.float32)}
WRITERS = {
    "poses.pkl": lambda path: save_poses(path, make_poses(3)),
    "poses.npz": lambda path: save_poses(path, make_poses(3)),
    "scale.npy": lambda path: save_scale(path, np.ones(3)),
    "liftModel": lambda path: save_state_dict(path, ARRAYS),
    "checkpoint.npz": lambda path: save_checkpoint(path, ARRAYS, {"epoch": 3}),
}


def no_space(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt(*args, **kwargs):
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", WRITERS)
def test_writes_exactly_that_file_and_replaces_it(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](path)
    first = path.read_bytes()
    path.write_bytes(b"old")
    WRITERS[name](path)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("where", ["fsync", "replace"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_keeps_the_old_file(name, where, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_bytes(b"old")
    monkeypatch.setattr(os, where, no_space)
    with pytest.raises(InputError) as caught:
        WRITERS[name](path)
    assert str(caught.value) == f"{path}: No space left on device; free some space, the old file is untouched"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_half_way_keeps_the_old_file(tmp_path):
    path = tmp_path / "liftModel"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"half")
        no_space()

    with pytest.raises(InputError, match="free some space"):
        files.write_atomically(path, write)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("where", ["fsync", "replace", "write"])
def test_ctrl_c_keeps_the_old_file(where, tmp_path, monkeypatch):
    path = tmp_path / "liftModel"
    path.write_bytes(b"old")
    if where != "write":
        monkeypatch.setattr(os, where, interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(path, interrupt if where == "write" else lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, sys
from minilift.files import write_atomically
def write(file):
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), 9)
write_atomically(sys.argv[1], write)
"""


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
def test_a_kill_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "liftModel"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert done.returncode == -9
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("without", ["files without a name", "links to them", "descriptors"])
def test_a_system_without_files_that_have_no_name(without, tmp_path, monkeypatch):
    if without == "links to them":
        monkeypatch.setattr(os, "link", no_space)
    elif without == "descriptors":
        monkeypatch.setattr(files, "_DESCRIPTORS", str(tmp_path / "none"))
    else:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = tmp_path / "new"
    files.write_atomically(path, lambda file: file.write(b"1" * 100_000))
    assert path.read_bytes() == b"1" * 100_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_respects_the_umask_and_an_old_one_keeps_its_mode(tmp_path):
    path = tmp_path / "new"
    before = os.umask(0o027)
    try:
        files.write_atomically(path, lambda file: file.write(b"1"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        files.write_atomically(path, lambda file: file.write(b"2"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(before)


def test_a_link_is_followed_and_a_missing_folder_made(tmp_path):
    real, link = tmp_path / "deep" / "er" / "real", tmp_path / "link"
    link.symlink_to(real)
    files.write_atomically(link, lambda file: file.write(b"1"))
    assert link.is_symlink()
    assert real.read_bytes() == b"1"


@pytest.mark.parametrize("make", ["folder", "pipe", "under a file"])
def test_what_cannot_be_a_file_is_refused(make, tmp_path):
    path = tmp_path / "there"
    if make == "folder":
        path.mkdir()
    elif make == "pipe":  # stands for every device; a failure must not replace a real one
        os.mkfifo(path)
    else:
        path.write_bytes(b"")
        path = path / "liftModel"
    with pytest.raises(InputError) as caught:
        files.write_atomically(path, lambda file: file.write(b"1"))
    assert str(caught.value).startswith(f"{path}: ")
    assert "choose" in str(caught.value)
    assert make != "pipe" or stat.S_ISFIFO(path.stat().st_mode)


def test_check_writable_leaves_nothing_behind(tmp_path):
    files.check_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_check_writable_refuses_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "out").write_bytes(b"")
    for place in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(InputError, match="choose another output folder"):
            files.check_writable(place)


def test_check_writable_refuses_a_read_only_folder(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.chdir(tmp_path)
    remedy = "; choose an output folder that can be written"
    for folder, output, told in (
        (".", "", f"{tmp_path}: Permission denied"),
        ("new", "", "new: Permission denied"),
        (".", "--out f.npz", f"--out f.npz: no file can be made in {tmp_path} (Permission denied)"),
    ):
        with pytest.raises(InputError, match=f"^{re.escape(told + remedy)}$"):
            files.check_writable(folder, output)


BAD_SOURCES = {
    "missing": "no such file (working directory",
    "folder": "is a folder; name a file in it",
    "empty": "the file is empty; write or copy it again",
    "pipe": "not a regular file; name a file",
    "too large": "bytes, the limit is 10; use a smaller file",
    "nul\0in name": "cannot be read (",
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_unreadable_sources(name, tmp_path, monkeypatch):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif name == "empty":
        path.write_bytes(b"")
    elif name == "pipe":
        os.mkfifo(path)
    elif name == "too large":
        path.write_bytes(b"x" * 11)
        monkeypatch.setattr(files, "LARGEST_FILE", 10)
    with pytest.raises(InputError) as caught:
        files.read_bytes(path, "make one")
    assert BAD_SOURCES[name] in str(caught.value)
    assert str(caught.value).startswith(files.one_line(str(path)))
    assert str(caught.value).isprintable()


def test_a_name_with_line_breaks_and_escape_codes_stays_on_one_line(tmp_path):
    with pytest.raises(InputError) as caught:
        files.read_bytes(tmp_path / "a\nb\x1b[31m\udcff\u2028\u202e")
    assert r"a\nb\x1b[31m\udcff\u2028\u202e: no such file" in str(caught.value)
    assert str(caught.value).isprintable()


def test_the_old_file_is_kept_under_a_second_name(tmp_path, monkeypatch):
    path = tmp_path / "w"
    for name, content in (("w.old", b"one"), ("w.old2", b"two")):
        path.write_bytes(content)
        old = files.keep_old(path)
        assert old == tmp_path / name
        assert old.read_bytes() == path.read_bytes() == content
        path.unlink()
    assert (tmp_path / "w.old").read_bytes() == b"one"

    def no_links(*_):
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    path.write_bytes(b"three")
    (tmp_path / "w.old3").mkdir()
    assert files.keep_old(path).read_bytes() == b"three"
    names = ["w", "w.old", "w.old2", "w.old3", "w.old4"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    monkeypatch.setattr(files.shutil, "copy2", no_links)
    with pytest.raises(InputError, match=r"w\.old5: "):
        files.keep_old(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_only_one_gets_in(tmp_path):
    pytest.importorskip("fcntl", reason="the lock is one of POSIX systems")
    with files.only_one(tmp_path / "new"):
        with (
            pytest.raises(InputError, match="another run is writing to this folder"),
            files.only_one(tmp_path / "new"),
        ):
            pass
        with files.only_one(tmp_path / "other"):
            pass
    with files.only_one(tmp_path / "new"):
        assert list((tmp_path / "new").iterdir()) == []
