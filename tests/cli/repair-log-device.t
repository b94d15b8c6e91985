#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A log on a device of its own: one that is cut, or not given, is refused before anything is changed; one that is empty is cleared."""
import hashlib
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "kernel"))
import campaign  # noqa: E402

MKFS = os.path.join(campaign.BUILD, "mkfs.xfs")
SMALL = {**os.environ, "TEST_DIR": "/nowhere", "TEST_DEV": "/nowhere", "QA_CHECK_FS": "/nowhere"}
MB = 1 << 20


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def main():
    tap = campaign.Tap()
    with tempfile.TemporaryDirectory(prefix="logdev.") as folder:
        image, log = (os.path.join(folder, name) for name in ("image", "log"))
        for path, size in ((image, 64 * MB), (log, 32 * MB)):
            with open(path, "wb") as f:
                f.truncate(size)
        subprocess.run([MKFS, "-q", "-d", "agcount=2", "-l", "logdev=" + log, image], env=SMALL, check=True,
                       stdout=subprocess.DEVNULL)
        before = digest(image)
        for what, options in (("not given", ["-L"]), ("cut", ["-L", "-l", log])):
            if what == "cut":
                os.truncate(log, 4 * MB)
            done = campaign.run(campaign.REPAIR, *options, image)
            tap.put(done.returncode == 1 and digest(image) == before, "a log device that is %s is refused" % what,
                    "exit %d%s\n%s" % (done.returncode, "" if digest(image) == before else ", changed", done.stdout))
        with open(log, "wb") as f:
            f.truncate(32 * MB)
        done, again = (campaign.run(campaign.REPAIR, *options, "-l", log, image) for options in ([], ["-n"]))
        tap.put(not done.returncode and not again.returncode, "an empty log device is a log without records",
                done.stdout + again.stdout)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
