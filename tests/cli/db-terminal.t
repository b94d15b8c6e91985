#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_db on a terminal: editing, history, completion; and none of it where there is no terminal."""
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import termios
import time

BUILD = os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd()))
DB = os.path.join(BUILD, "xfs_db")
PATIENCE = 20
results = []


def ok(good, name, note=""):
    results.append(good)
    print("%sok %d - %s" % ("" if good else "not ", len(results), name))
    if not good:
        print("\n".join("# " + line for line in str(note).splitlines()[:30]))


class Terminal:
    """One xfs_db on a pseudo terminal."""

    def __init__(self, image, home, options=()):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="vt100", HOME=home, LC_ALL="C.UTF-8")
            os.execv(DB, [DB, *options, image])

    def read(self, until):
        """What comes until the text `until` is in it, without control sequences; all there is when it never comes."""
        got, end = "", time.monotonic() + PATIENCE
        while until not in got and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    data = os.read(self.fd, 4096)
                except OSError:     # the other side has gone
                    break
                self.seen += data.decode("latin1")
                got = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r", "", self.seen)
        self.seen = ""
        return got

    def press(self, keys):
        """Writes keys when the editor waits for them: it prompts before it takes the terminal out of line mode."""
        end = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.fd)[3] & termios.ICANON and time.monotonic() < end:
            time.sleep(0.001)
        os.write(self.fd, keys.encode())

    def type(self, text, until):
        self.press(text)
        return self.read(until)

    def end(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    os.read(self.fd, 4096)
                except OSError:
                    pass
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        return None


# (what, keys, text that must appear)
KEYS = [
    ("a command", "sb 0\rp blocksize\r", "blocksize = 4096"),
    ("editing", "p blocksizX\x7fe\r", "blocksize = 4096"),
    ("editing in the middle", "p locksize\x01\x06\x06b\r", "blocksize = 4096"),
    ("history: the line before", "echo first\recho second\r\x10\x10\r", "first \n"),
    ("history: the arrow", "echo third\r\x1b[A\x7f\x7fXY\r", "thiXY"),
    ("a command is completed", "sta\t\recho done\r", "1: \n"),
    ("an alias is none of the words", "fsb\t\r", "current fsblock is 0"),
    ("as far as all have in common", "inod\t\r", "no current inode"),
    ("what there is, when nothing is in common", "ag\t", "agfl"),
    ("the line stays", "fl 1\rp seqno\r", "seqno = 1"),
    ("a field", "sb\rp bloc\t\t", "blocklog"),
    ("a field is finished", "si\t\r", "blocksize = 4096"),
    ("a field of the next argument", "p agcount magicn\t\r", "agcount = 4\nmagicnum = 0x58465342"),
    ("fields after push", "agf 0\rpush addr bnoro\t\rp magic\r", "magic = 0x41423342"),
    ("a field of an array", "p recs[1].startb\t\r", "recs[1].startblock = "),
    ("fields of a structure", "inode 128\rp cor\tforma\t\r", "core.format = "),
    ("two levels", "p core.mtim\tse\t\r", "core.mtime.sec = "),
    ("types", "sb 0\rtype agf\t", "agfl"),
    ("a type", "l\rtype\r", 'current type is "agfl"'),
    ("help of a command", "help fsbl\t\r", "fsblock [fsb] -- "),
    ("help of one command only", "help sb age\t\r", "bad argument count 2 to help"),
    ("joined lines", "sb\rp agcount \\\rblocksize\r", "agcount = 4\nblocksize = 4096"),
    ("joined lines are one in the history", "\x10\r", "agcount = 4\nblocksize = 4096"),
]


def session(image, home):
    t = Terminal(image, home)
    ok("xfs_db> " in t.read("xfs_db> "), "the prompt")
    for what, keys, want in KEYS:
        got = t.type(keys, want)
        ok(want in got, what, "%r is not in %r" % (want, got))
    t.type("\recho mark\r", "mark \n")
    t.press("quit\r")
    ok(t.end() == 0, "quit")
    t = Terminal(image, home, ("-p", "other"))
    ok("other> " in t.read("other> "), "the prompt names the program of -p")
    t.press("\x04")
    ok(t.end() == 0, "the end of the input")


def plain(image):
    pipe = subprocess.run([DB, image], input=b"sb\tp\ns\t\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ok(pipe.stdout == b"xfs_db> bad allocation group number p\nxfs_db> command s not found\nxfs_db> \n"
       and not pipe.stderr, "a pipe: plain prompts, tabs are blanks", pipe.stdout)
    main, terminal = pty.openpty()
    with open(image + ".out", "w+b") as out:
        run = subprocess.Popen([DB, image], stdin=terminal, stdout=out)
        os.write(main, b"sb\np agcount\nq\n")
        status = run.wait(PATIENCE)
        out.seek(0)
        ok(status == 0 and out.read() == b"xfs_db> xfs_db> agcount = 4\nxfs_db> ", "output to a file: no editing")
    os.close(main)
    os.close(terminal)


def main():
    try:
        for fd in pty.openpty():
            os.close(fd)
    except OSError as error:
        print("1..0 # SKIP no terminal can be made here: %s" % error)
        return 0
    with tempfile.TemporaryDirectory(prefix="xfskit-db") as work:
        image = os.path.join(work, "image")
        with open(image, "wb") as f:
            f.truncate(320 << 20)
        made = subprocess.run([os.path.join(BUILD, "mkfs.xfs"), "-q", "-d", "agcount=4", image], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        ok(made.returncode == 0, "mkfs.xfs", made.stdout)
        session(image, work)
        plain(image)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
