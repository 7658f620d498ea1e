# Runs a shell command on a terminal of its own and types what a person would. Usage: COMMAND PASSPHRASE [LINE …]
import os
import pty
import re
import sys

command, passphrase, *lines = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("/bin/sh", ["/bin/sh", "-c", command])
shown = b""
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    sys.stdout.buffer.write(piece)
    shown += piece
    if re.search(rb"passphrase[^\n]*: ?$", shown, re.I):
        os.write(terminal, passphrase.encode() + b"\n")
        shown = b""
    elif shown.endswith(b"psftp> "):
        os.write(terminal, (lines.pop(0) if lines else "quit").encode() + b"\n")
        shown = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
