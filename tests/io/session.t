#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_io as a program: scripts on stdin, the prompt, line editing and completion on a terminal, order of outputs, help,
manual and completion file, and no more system calls than the distribution's. Needs no root. TAP."""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

where = lab.scratch()
for name, text in (("one", b"1" * 8192), ("two", b"2" * 8192)):
    with open(os.path.join(where, name), "wb") as f:
        f.write(text)


def script(text, *args):
    return lab.Run([lab.OURS, *args], cwd=where, stdin=text.encode())


def test_scripts():
    r = script("pread -qv 0 4\nfoo\n\n  print  \nquit\nprint\n", "one")
    lab.ok(r.rc == 0 and r.err == 'command "foo" not found\n' and
           re.fullmatch(r"xfs_io> 00000000:  31 31 31 31  1111\nxfs_io> xfs_io> xfs_io> \[000\] one .*\nxfs_io> ",
                        r.out), "a script on stdin", r)
    r = script("pread -qv 0 2\nfile 0\npread -qv 0 2", "-p", "tool", "one", "two")
    lab.ok(r.out.startswith("tool> 00000000:  32 32  22\ntool> [000] one") and "00000000:  31 31  11\n" in r.out,
           "stdin works on the current file only; -p is the prompt; the last line needs no end", r)
    r = script("truncate x\n", "one")
    lab.ok(r.rc == 1 and "non-numeric truncate argument -- x" in r.out, "a failure in a script is the exit code", r)
    r = script("fsync\nmread 0 1\nprint\n")
    lab.ok(r.rc == 0 and r.err == "no files are open, try 'help open'\nno mapped regions, try 'help mmap'\n",
           "no files, no mappings", r)
    r = lab.Run([lab.OURS, "-c", "pread -qv 0 2", "-c", "nosuch", "-C", "pread -qv 0 2", "one", "two"], cwd=where)
    lab.ok(r.out == "00000000:  31 31  11\n00000000:  32 32  22\n00000000:  32 32  22\n" and r.rc == 0,
           "-c on all files, -C on the current one", r)
    p = subprocess.run([lab.OURS, "-c", "pread -qv 0 2", "-c", "nosuch", "-c", "fsync 1", "one"], cwd=where,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lab.ok(p.stdout == 'command "nosuch" not found\nbad argument count 1 to fsync, expected 0 arguments\n00000000:  31 31  11\n',
           "messages come before the buffered output", p.stdout)
    r = lab.Run([lab.OURS, "-c", "fadvise"], cwd=where)
    lab.ok((r.rc, r.out, r.err) == (0, "", ""), "-c without a file: nothing", r)
    r = lab.Run([lab.OURS, "-c", "print", "one", "nosuch"], cwd=where)
    lab.ok((r.rc, r.out, r.err) == (1, "", "nosuch: No such file or directory\n"),
           "a file that can't be opened: nothing is run", r)
    r = lab.Run([lab.OURS, "-V"])
    lab.ok((r.rc, r.out) == (0, "xfs_io version 6.15.0\n"), "-V", r)
    r = lab.Run([lab.OURS, "-q"])
    lab.ok(r.rc == 1 and r.err.endswith("Usage: xfs_io [-adfinrRstVx] [-m mode] [-p prog] [[-c|-C] cmd]... file\n"),
           "unknown option", r)
    r = lab.Run([lab.OURS, "-m", "9", "one"])
    lab.ok((r.rc, r.err) == (1, "non-numeric mode -- 9\n"), "-m with no mode", r)
    full = lab.Run(["/bin/sh", "-c", f"'{lab.OURS}' -c 'pread -v 0 8k' one >/dev/full"], cwd=where)
    lab.ok(full.rc == 1 and "No space left on device" in full.err, "output that can't be written is a failure", full)
    os.mkfifo(os.path.join(where, "pipe"))
    r = lab.Run([lab.OURS, "-c", "stat", "pipe"], cwd=where, timeout=20)
    lab.ok(r.rc == 0 and "stat.type = fifo\n" in r.out, "a fifo does not block", r)
    r = lab.Run([lab.OURS, "-c", "pwrite -q 0 1", "-c", "pread 0 1", "-c", "stat", "."], cwd=where)
    lab.ok(r.rc == 1 and r.err == "pwrite: Bad file descriptor\npread: Is a directory\n",
           "folders are opened for reading", r)
    many = " ".join("x" * 3 for _ in range(50000))
    r = script(f"fsync {many}\n", "one")
    lab.ok(r.err == "bad argument count 50000 to fsync, expected 0 arguments\n", "a very long line", r.err[:200])


def test_help():
    r = script("", "-x", "-c", "help")
    head, _, tail = r.out.partition("\n\n")
    rows = head.splitlines()
    names = [row.split(" ")[0] for row in rows]
    lab.ok(tail == "Use 'help commandname' for extended help.\n" and names == sorted(names)
           and len(set(names)) == len(names) > 90 and
           all(re.fullmatch(r"\w+ (\S.* )?-- \S.*", row) for row in rows), "help lists all commands in order", r)
    plain = [row.split(" ")[0] for row in script("", "-c", "help").out.partition("\n\n")[0].splitlines()]
    lab.ok(set(names) - set(plain) == {"freeze", "getrusage", "imap", "inject", "repair", "resblks", "scrub", "scrubv",
                                       "shutdown", "thaw"},
           "without -x those for experts are not listed", set(names) - set(plain))
    wrong = []
    for name in names:
        h = script("", "-x", "-c", "help " + name).out
        if not h.startswith(name + " ") or not re.match(r".* -- ", h):
            wrong.append(h)
        synopsis = h.split(" -- ")[0]
        for letter in re.findall(r"^ -(\w)(?: \S+)? -- ", h, re.M):
            if name not in ("open", "chattr") and not re.search(r"-\S*" + letter, synopsis):
                wrong.append(f"{name}: -{letter} is not in the synopsis")
    lab.ok(not wrong, "help NAME: synopsis and the options in it", "\n".join(wrong))
    # what test suites look for before they use a command
    for name, option in (("pwrite", "-V"), ("falloc", "-k"), ("fiemap", "-a"), ("statx", "-r"), ("chattr", r"\+/-x"),
                         ("fsmap", "-n"),
                         ("copy_range", "-f"), ("exchangerange", "-d")):
        h = script("", "-x", "-c", "help " + name).out
        lab.ok(re.search(rf"^ {option} ([a-zA-Z0-9_]+ )?--", h, re.M), f"help {name} has a line for {option}", h)
    with open(os.path.join(lab.SOURCE, "man", "man8", "xfs_io.8")) as f:
        page = f.read()
    missing = [n for n in names if f'.BI "{n}"' not in page]
    stale = [n for n in re.findall(r'^\.BI "(\w+)"', page, re.M) if n not in names]
    lab.ok(not missing and not stale, "the manual has every command", f"missing {missing} stale {stale}")
    wrong = []
    for name in names:
        args = script("", "-x", "-c", "help " + name).out.split(" -- ")[0][len(name) + 1:]
        text = re.search(rf'^\.BI "{name}" "(.*)"$', page, re.M)
        if not text or text[1].replace("\\-", "-").strip() != args:
            wrong.append(f"{name}: {args} / {text and text[1]}")
    lab.ok(not wrong, "the manual has the same synopses", "\n".join(wrong))
    bash = shutil.which("bash")
    if not bash:
        lab.skip("bash completion", "no bash")
        return
    def complete(*words):
        text = " ".join(f"'{w}'" for w in words)
        code = f". '{lab.SOURCE}/io/xfs_io.bash'; COMP_WORDS=({text}); COMP_CWORD={len(words) - 1}; _xfs_io; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        return subprocess.run([bash, "-c", code], stdout=subprocess.PIPE, text=True, cwd=where).stdout.split()
    lab.ok(sorted(complete("xfs_io", "-x", "-c", "")) == names, "bash completion: all commands",
           complete("xfs_io", "-x", "-c", ""))
    lab.ok(complete("xfs_io", "-c", "fie") == ["fiemap"] and complete("xfs_io", "-c", "shut") == [] and
           complete("xfs_io", "-c", "print", "tw") == ["two"] and "-T" in complete("xfs_io", "-"),
           "bash completion: words", complete("xfs_io", "-c", "fie"))


def terminal(keys, *args):
    """Types keys (a list: waits for output in between) and returns what the screen got."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(where)
        os.environ["TERM"] = "dumb"
        os.environ["HOME"] = where
        os.execv(lab.OURS, [lab.OURS, *args])
    seen = b""

    def read(until, seconds):
        nonlocal seen
        end, start = time.time() + seconds, len(seen)
        while time.time() < end and not (until and until in seen[start:]):
            if select.select([fd], [], [], 0.1)[0]:
                try:
                    data = os.read(fd, 4096)
                except OSError:
                    return
                if not data:
                    return
                seen += data
    read(b"> ", 10)
    for text, until in keys:
        os.write(fd, text)
        read(until, 10)
    read(None, 1)
    os.close(fd)
    for _ in range(100):
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
        time.sleep(0.1)
    else:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return seen.decode(errors="replace")


def test_terminal():
    text = terminal([(b"pread -qv 0 2\n", b"11"), (b"\x10\n", b"11"), (b"quit\n", None)], "one")
    lab.ok(text.count("00000000:  31 31  11") == 2 and "xfs_io> " in text, "a line is recalled from the history", text)
    text = terminal([(b"fiem\t", b"fiemap"), (b"\n", b"FIEMAP"), (b"\x04", None)], "/dev/null")
    lab.ok("ioctl(FS_IOC_FIEMAP)" in text, "a command is completed", text)
    text = terminal([(b"open tw\t\n", b"> "), (b"print\n", b"[001]"), (b"quit\n", None)], "one")
    lab.ok(re.search(r"\[001\] two ", text), "a file name is completed", text)
    text = terminal([(b"help fs\t\t", b"fsync"), (b"\x15quit\n", None)], "one")
    lab.ok("fsmap" in text and "fsuuid" in text, "candidates are listed", text)


CALLS = ["pwrite 0 4m", "pread 0 4m", "pwrite -b 1m 0 4m", "pread -b 64k 0 4m", "pread -V 4 0 1m", "pwrite -V 4 0 1m",
         "pread 0 64k",
         "pwrite -i one 0 8k", "pread -R 0 1m", "pwrite -R 0 1m", "pread 0 1g", "pwrite -W 0 4k",
         "pwrite -B 10000 9000", "pread 3 5"]


def test_calls():
    theirs = shutil.which("xfs_io")
    if not theirs or not shutil.which("strace"):
        lab.skip("system calls of pread and pwrite", "strace or the distribution's xfs_io is missing")
        return
    log = os.path.join(where, "strace")
    def calls(tool, command):
        with open(os.path.join(where, "t"), "wb") as f:
            f.write(b"t" * (4 << 20))
        p = subprocess.run(["strace", "-f", "-o", log, tool, "-f", "-c", command, "t"], cwd=where,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not os.path.exists(log) or not os.path.getsize(log):
            raise lab.Unavailable("strace: " + p.stderr.strip())
        with open(log) as f:
            lines = f.read().splitlines()
        return len(lines), sum(bool(re.search(r"\bp(read|write)(64|v|v2)\(", x)) for x in lines)
    with open(lab.OURS, "rb") as f:
        sanitized = b"__asan_init" in f.read()      # its runtime has calls of its own: only transfers are compared then
    wrong = []
    try:
        for c in CALLS:
            a, b = calls(theirs, c), calls(lab.OURS, c)
            # the start of a program with other libraries has other reads; so what is moved is counted as well
            if (b[0] > a[0] and not sanitized) or b[1] > a[1]:
                wrong.append(f"{c}: theirs {a}, ours {b}")
    except lab.Unavailable as e:
        lab.skip("system calls of pread and pwrite", e)
        return
    lab.ok(not wrong, f"no more system calls than the distribution's: {len(CALLS)} commands", "\n".join(wrong))


test_scripts()
test_help()
test_terminal()
test_calls()
lab.done()
