"""What a run is known by: a hash of all that acts on its weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from minilift.lift.settings import TrainSettings
from minilift.studies.designs.block import Block

# Of what a training run computes. Raise it when a change to the code makes the same settings give another
# result by more than rounding: every run of the version before is then made again.
TRAINING = 1


@dataclass(frozen=True)
class Run:
    """One training: settings, seed included, the fingerprint of its data, and blocks that are not usual."""

    settings: TrainSettings
    data: tuple[int, ...]
    block: Block | None = None

    @property
    def key(self) -> str:
        """What tells it from every other run: 16 digits over all that acts on its weights."""
        what = [TRAINING, self.settings.acting(), self.data]
        what += [] if self.block is None else [asdict(self.block)]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
