"""Which group this process belongs to: what started it has said so in the environment."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping

from minilift.distributed.group import Group
from minilift.distributed.mpi import MpiGroup
from minilift.distributed.sockets import SocketGroup
from minilift.errors import InputError
from minilift.extras import installed

# Rank and number of processes, as each launcher names them
TORCHRUN = "torchrun"
STARTED = {
    TORCHRUN: ("RANK", "WORLD_SIZE"),
    "srun": ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    "mpirun of Open MPI": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    "mpirun of MPICH": ("PMI_RANK", "PMI_SIZE"),
}
ADDRESS, PORT = "MASTER_ADDR", "MASTER_PORT"
STORE = "TORCHELASTIC_USE_AGENT_STORE"  # "True" where torchrun itself listens at the port
JOBS = ("TORCHELASTIC_RUN_ID", "SLURM_JOB_ID")
SRUN = ", or give srun the option mpi=pmi2 or mpi=pmix"


def join(environment: Mapping[str, str] = os.environ) -> Group:
    """The group that this process was started for.

    Over TCP where RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are set, as by torchrun; else over MPI; and
    without mpi4py over TCP too, where a launcher has given ranks and somebody the address. Raises InputError
    where MPI is missing, ranks are no numbers, or another MPI than that of the launcher answers, and Lost
    where others do not come.
    """
    launcher, rank, count = _started(environment)
    meets = ADDRESS in environment and PORT in environment
    if meets and (launcher == TORCHRUN or (launcher and not installed("mpi4py"))):
        return _over_tcp(environment, rank, count)
    group = MpiGroup()
    if count > 1 and group.size == 1:
        group.close()
        raise InputError(
            f"{launcher} has started {count} processes, of which {group.kind} knows one: they are of "
            f"different MPIs; start them with the mpirun of {group.kind}{SRUN if launcher == 'srun' else ''}"
        )
    return group


def _started(environment: Mapping[str, str]) -> tuple[str, int, int]:
    """Who has started this process, its rank, and how many there are; 1 where nobody says anything."""
    for launcher, (rank, size) in STARTED.items():
        numbers = environment.get(rank, ""), environment.get(size, "")
        if all(number.isdecimal() and len(number) < 8 for number in numbers):
            return launcher, int(numbers[0]), int(numbers[1])
        if all(numbers):  # each process would train alone, and all write to the same files
            raise InputError(
                f"{rank}={numbers[0]}, {size}={numbers[1]}: not a rank and a number of processes; start with "
                f"{launcher}, which sets them, or give whole numbers such as 0 and 2"
            )
    return "", 0, 1


def _over_tcp(environment: Mapping[str, str], rank: int, count: int) -> Group:
    text = environment[PORT]
    port = int(text) if text.isdecimal() and len(text) < 6 else 0
    if not 0 < port < 65535:
        raise InputError(f"{PORT}={text}: not the number of a port; give one from 1024 to 65534")
    taken = environment.get(STORE) == "True"
    job = zlib.crc32(" ".join(environment.get(name, "") for name in JOBS).encode())
    return SocketGroup(rank, count, environment[ADDRESS], port + taken, job)
