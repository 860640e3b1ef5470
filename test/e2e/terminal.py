"""Runs a command in a terminal of its own and closes the terminal when a line arrives on standard input.

Writes what the terminal shows to the file named first, and to standard output the command's process id and its exit code.
"""

import os
import pty
import select
import sys

shown, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
print(pid, flush=True)
# Nothing may be reading the terminal when it is closed: it would stay open until then.
with open(shown, "ab", buffering=0) as file:
    while True:
        ready, _, _ = select.select([terminal, 0], [], [])
        if 0 in ready:
            break
        try:
            file.write(os.read(terminal, 65536))
        except OSError:
            break
os.close(terminal)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status), flush=True)
