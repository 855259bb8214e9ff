"""The processes of one `minilift train --distributed`: who speaks, and how all of them end."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from minilift.distributed.cores import fair_share
from minilift.distributed.group import Alone, Group
from minilift.distributed.join import join
from minilift.errors import counted

HEAD_START = 1.0  # seconds that rank 0 has to say what is wrong with all of them


class Crew:
    """The group that a command runs in: this process alone, until it has joined another."""

    def __init__(self) -> None:
        self.group: Group = Alone()
        self.done = False

    @contextmanager
    def joined(self, distributed: bool) -> Iterator[Group]:
        """Within it, this process works as one of its group, and all but rank 0 are silent."""
        if not distributed:
            yield self.group
            self.done = True
            return
        self.group = group = join()
        try:
            with fair_share(group) as cores, open(os.devnull, "w") as nowhere:
                if group.first:
                    print(f"{group.size} processes ({group.kind}), {counted(cores, 'core')} for each")
                    yield group
                else:
                    with redirect_stdout(nowhere), redirect_stderr(nowhere):
                        yield group
            group.close()
            self.done = True
        except BaseException:
            if not group.first:
                time.sleep(HEAD_START)
            raise

    def run(self, program: Callable[[], int]) -> int:
        """The exit status of `program`. Where it has failed here, all of the group end."""
        try:
            status = program()
        except BaseException:
            if self.group.size == 1:
                raise
            traceback.print_exc()
            status = 1
        if self.group.size > 1 and not self.done:
            sys.stdout.flush()
            sys.stderr.flush()
            self.group.abort(status or 1)
        return status
