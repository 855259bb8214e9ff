"""Which group this process belongs to: what started it has said so in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from minilift.distributed.group import Group
from minilift.distributed.mpi import MpiGroup
from minilift.errors import InputError

# Rank and number of processes, as each launcher names them
STARTED = {
    "torchrun": ("RANK", "WORLD_SIZE"),
    "srun": ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    "mpirun of Open MPI": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    "mpirun of MPICH": ("PMI_RANK", "PMI_SIZE"),
}


def join(environment: Mapping[str, str] = os.environ) -> Group:
    """The group that this process was started for.

    Raises InputError where MPI is missing, or another MPI than that of the launcher answers.
    """
    group = MpiGroup()
    launcher, count = _asked(environment)
    if count > 1 and group.size == 1:
        group.close()
        raise InputError(
            f"{launcher} has started {count} processes, of which {group.kind} knows one: they are of "
            f"different MPIs; start them with the mpirun of {group.kind}{SRUN if launcher == 'srun' else ''}"
        )
    return group


SRUN = ", or give srun the option mpi=pmi2 or mpi=pmix"


def _asked(environment: Mapping[str, str]) -> tuple[str, int]:
    """Who has started this process, and how many there are; 1 where nobody says anything."""
    for launcher, (_, size) in STARTED.items():
        if environment.get(size, "").isdigit():
            return launcher, int(environment[size])
    return "", 1
