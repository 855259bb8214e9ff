"""Real motion capture for tests, where it is on this machine: some of CMU's takes, each on its own bones."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from conftest import ROOT

CMU = ROOT.parent / "shared" / "data" / "cmu" / "cmu.tar.xz"
TAKES = (
    *("05/05.asf", "05/05_01.bvh", "06/06_01.bvh", "09/09.asf", "09/09_10.amc", "16/16.asf", "16/16_01.amc"),
    *("16/16_15.bvh", "29/29.asf", "29/29_01.bvh", "29/29_03.amc", "49/49_06.bvh", "49/49_08.bvh"),
    *("87/backflip.asf", "87/backflip.amc", "88/acrobatics.asf", "88/acrobatics.amc"),
)


@pytest.fixture(scope="session")
def cmu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with TAKES. The archive takes seconds to unpack, so it is read once for all tests."""
    if not CMU.is_file():
        pytest.skip("CMU's motion capture (not part of the project) is not on this machine")
    folder = tmp_path_factory.mktemp("cmu")
    with tarfile.open(CMU, "r:xz") as archive:
        for member in archive:
            if member.name.removeprefix("cmu/") in TAKES:
                archive.extract(member, folder, filter="data")
    return folder / "cmu"
