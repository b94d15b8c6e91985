# SPDX-License-Identifier: BSD-2-Clause
"""Collecting findings: one id, one place, what was found, what was expected."""

import json


class Report:
    """Findings in the order they were made. `ignore`: ids to drop. More than `limit` of one id are only counted."""

    def __init__(self, ignore=(), limit=40):
        self.ignore = frozenset(ignore)
        self.limit = limit
        self.findings = []
        self.counts = {}

    def add(self, ident, where, found, expected=None):
        if ident in self.ignore:
            return
        count = self.counts.get(ident, 0)
        self.counts[ident] = count + 1
        if not self.limit or count < self.limit:
            self.findings.append((ident, str(where), str(found), None if expected is None else str(expected)))

    @property
    def ids(self):
        return set(self.counts)

    def lines(self):
        """The findings as text, and a line for those beyond the limit."""
        for ident, where, found, expected in self.findings:
            if expected is None:
                yield "%s: %s: %s" % (ident, where, found)
            else:
                yield "%s: %s: found %s expected %s" % (ident, where, found, expected)
        for ident, count in self.counts.items():
            if self.limit and count > self.limit:
                yield "%s: and %d more" % (ident, count - self.limit)

    def as_json(self):
        rows = [{"id": ident, "where": where, "found": found, "expected": expected}
                for ident, where, found, expected in self.findings]
        return json.dumps({"findings": rows, "counts": self.counts}, indent=1)
