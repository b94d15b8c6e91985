#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make install, then a program built against the installed library with pkg-config alone, static and shared; headers stand alone."""
import glob
import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernel"))
import campaign  # noqa: E402

tap = campaign.Tap()
dest = os.path.join(campaign.BUILD, "install-test")
campaign.clean_folder(dest)
run = campaign.run("make", "-s", "-C", campaign.BUILD, "install", "DESTDIR=" + dest)
tap.put(run.returncode == 0, "make install DESTDIR", run.stdout)
root = os.path.join(dest, "usr/local")
programs = [name for name in ("mkfs.xfs", "xfs_repair", "xfs_db")
            if not os.access(os.path.join(root, "sbin", name), os.X_OK)]
tap.put(not programs, "programs are installed", " ".join(programs))
pages = glob.glob(os.path.join(root, "share/man/man8/*.8"))
tap.put(len(pages) >= 3, "man pages are installed", " ".join(pages))

env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(root, "lib/pkgconfig"), PKG_CONFIG_SYSROOT_DIR=dest)
flags = subprocess.run(["pkg-config", "--cflags", "--libs", "xfskit"], env=env, stdout=subprocess.PIPE, text=True)
tap.put(flags.returncode == 0, "pkg-config knows xfskit")
cc = os.environ.get("CC", "cc")
example = os.path.join(campaign.SRC, "examples/list-owners.c")
extra = ["-fsanitize=address,undefined"] if "asan" in os.path.basename(campaign.BUILD) else []
sample = campaign.sample()
outputs = []
for name, how in (("shared", []), ("static", ["-l:libxfskit.a"])):
    words = shlex.split(flags.stdout)
    if how:
        words = [w for w in words if w != "-lxfskit"] + how
    program = os.path.join(dest, "list-owners-" + name)
    built = campaign.run(cc, "-Wall", "-Wextra", "-Werror", *extra, "-o", program, example, *words)
    tap.put(built.returncode == 0, "the example builds: " + name, built.stdout)
    listed = subprocess.run([program, sample], env=dict(env, LD_LIBRARY_PATH=os.path.join(root, "lib")),
                            stdout=subprocess.PIPE, text=True)
    outputs.append(listed.stdout)
    tap.put(listed.returncode == 0 and len(listed.stdout.splitlines()) > 1000, "the example lists owners: " + name,
            listed.stdout[-500:])
tap.put(outputs[0] == outputs[1], "static and shared say the same")
exported = campaign.run("nm", "-D", "--defined-only", os.path.join(root, "lib/libxfskit.so"))
odd = [line for line in exported.stdout.splitlines() if " T " in line and " xfskit_" not in line
       and " xfs_error_" not in line]
tap.put(exported.returncode == 0 and not odd, "only the public interface is exported", "\n".join(odd))

bad = []
for header in sorted(glob.glob(os.path.join(campaign.SRC, "libxfs/*/*.h")) + glob.glob(os.path.join(campaign.SRC, "include/xfskit/*.h"))):
    alone = subprocess.run([cc, "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-I", campaign.SRC, "-I",
                            os.path.join(campaign.SRC, "include"),
                            "-x", "c", "-"], input='#include "%s"\nint x;\n' % header, stderr=subprocess.STDOUT,
                           stdout=subprocess.PIPE, text=True)
    if alone.returncode:
        bad.append(os.path.relpath(header, campaign.SRC) + "\n" + alone.stdout)
tap.put(not bad, "each header compiles alone", "\n".join(bad))
tap.end()
