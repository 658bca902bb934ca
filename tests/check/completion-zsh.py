#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What zsh offers: completion-zsh.py DIRECTORY reads lines, which end where the cursor is, and prints the candidates for each
and an empty line after them. A zsh at a terminal, as a user's, completes them; what it lists there is what it offers."""
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import time
from fcntl import ioctl
from termios import TIOCSWINSZ

SETUP = r"""
PS1=
LISTMAX=10000
fpath=($COMPLETION_DIR $fpath)
autoload -Uz compinit && compinit -u -D
setopt no_beep
zstyle ':completion:*' verbose no
ask() { _main_complete; print -r listed >>$ZDOTDIR/marks }
zle -C ask list-choices ask
finished() { BUFFER=; zle -R; print -r finished >>$ZDOTDIR/marks }
zle -N finished
zle-line-init() { print -r ready >>$ZDOTDIR/marks }
zle -N zle-line-init
bindkey '^I' ask
bindkey '^X' finished
"""


class Shell:
    def __init__(self, home):
        self.marks = home + "/marks"
        self.said = b""
        with open(home + "/.zshrc", "w", encoding="utf-8") as f:
            f.write(SETUP)
        self.terminal, slave = pty.openpty()
        # Wide enough for a list on few lines.
        ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 100, 1000, 0, 0))
        env = dict(os.environ, ZDOTDIR=home, COMPLETION_DIR=sys.argv[1], TERM="dumb")
        self.process = subprocess.Popen(["zsh", "-d", "-i"], stdin=slave, stdout=slave, stderr=slave, env=env,
                                        start_new_session=True)
        os.close(slave)

    def read(self, seconds):
        while select.select([self.terminal], [], [], seconds)[0]:
            self.said += os.read(self.terminal, 65536)
            seconds = 0

    def wait_for(self, mark):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.read(0.02)
            if os.path.exists(self.marks):
                with open(self.marks, encoding="utf-8") as f:
                    marks = f.read().split()
                if marks and marks[-1] == mark:
                    self.read(0)
                    return
        sys.exit("no answer from zsh")

    def ask(self, line):
        self.said = b""
        os.write(self.terminal, (line + "\t").encode())
        self.wait_for("listed")
        os.write(self.terminal, b"\x18")
        self.wait_for("finished")
        # The line itself is shown before and after the list.
        rows = self.said.decode(errors="replace").replace("\r\n", "\n").split("\n")
        return {word for row in rows for part in row.split("\r") if line.strip() not in part for word in part.split()}


with tempfile.TemporaryDirectory() as directory:
    shell = Shell(directory)
    try:
        shell.wait_for("ready")
        for wanted in sys.stdin:
            print(*sorted(shell.ask(wanted.rstrip("\n"))), "", sep="\n", flush=True)
    finally:
        shell.process.kill()
        shell.process.wait()
        os.close(shell.terminal)
