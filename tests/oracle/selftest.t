#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The oracle's self-test (selftest.py) as TAP."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import selftest  # noqa: E402


class Tap(unittest.TestResult):
    """One line a test method; a failing damage of the table fails its method and is named."""

    def startTest(self, test):
        super().startTest(test)
        self.bad = []

    def addError(self, test, err):
        self.bad.append((test, self._exc_info_to_string(err, test)))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addError(subtest, err)

    def addSkip(self, test, reason):
        self.skipped.append((test, reason))

    def stopTest(self, test):
        note = ""
        if self.skipped and self.skipped[-1][0] is test:
            note = " # SKIP " + self.skipped[-1][1]
        print("%sok %d - %s%s" % ("not " if self.bad else "", self.testsRun, test.id(), note))
        for what, text in self.bad:
            for line in [str(what)] + text.splitlines()[-3:]:
                print("# " + line)
        self.any_bad = getattr(self, "any_bad", False) or bool(self.bad)
        sys.stdout.flush()


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(selftest)
    print("1..%d" % suite.countTestCases())
    result = Tap()
    suite.run(result)
    return 1 if getattr(result, "any_bad", False) else 0


if __name__ == "__main__":
    sys.exit(main())
