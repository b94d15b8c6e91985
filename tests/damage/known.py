# SPDX-License-Identifier: BSD-2-Clause
"""Cases of the campaigns that are known to fail, one by one: known.txt.  The list can only shrink: a case of it that passes
is a failure, and so is one that no campaign has any more."""
import os

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "known.txt")


class Known:
    """The lines of known.txt for one campaign ("pairs", "fuzz 1k"): CAMPAIGN | CASE | REASON."""

    def __init__(self, campaign, path=LIST):
        self.reasons, self.met = {}, set()
        with open(path) as f:
            for line in f:
                if not line.strip() or line[0] == "#":
                    continue
                of, case, reason = (column.strip() for column in line.split("|"))
                if not reason or case in self.reasons and of == campaign:
                    raise SystemExit("%s: a case twice, or without a reason: %s" % (path, line.strip()))
                if of == campaign:
                    self.reasons[case] = reason

    def judge(self, case, wrong):
        """What is wrong with the result of a case, seen from the list."""
        if case not in self.reasons:
            return wrong
        self.met.add(case)
        return [] if wrong else ["known.txt lists it, and it passes: take the line out"]

    def unmet(self):
        """Listed cases that were not among those that ran."""
        return sorted(set(self.reasons) - self.met)
