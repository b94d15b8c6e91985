# SPDX-License-Identifier: BSD-2-Clause
"""Crash campaign: the repair of a damaged image is stopped at a write; the next run must come to the same files."""
import os
import re
import subprocess

import campaigns
import change
import outcome
from places import NoPlace, campaign

CRASH = os.path.join(campaign.BUILD, "bin", "tests", "damage", "crash")


class Campaign:
    """One recipe on one image: the undisturbed repair is the standard for all others."""

    def __init__(self, recipe, image, folder):
        self.recipe, self.truth = recipe, campaigns.Truth(image)
        name = os.path.join(folder, "%s-%s" % (recipe.name, image))
        self.damaged, self.work = name + ".damaged", name + ".work"
        campaigns.damaged_copy(self.truth, self.damaged)
        objects = change.Objects(self.damaged, self.truth.places, recipe.name)
        try:
            recipe.apply(objects)
        except NoPlace:
            self.close()
            raise
        finally:
            objects.close()
        self.writes = self.stopped_run(0, 0)
        self.standard = outcome.list_files(self.work)

    def close(self):
        for path in (self.damaged, self.work):
            campaign.remove(path)

    def stopped_run(self, stop, seed):
        """Repairs a fresh copy up to write `stop`; number of writes seen."""
        campaign.copy_sparse(self.damaged, self.work)
        run = subprocess.run([CRASH, self.work, str(stop), str(seed)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=300)
        m = re.search(r"writes (\d+) barriers (\d+) error (\d+)", run.stdout)
        if run.returncode or not m:
            raise RuntimeError("crash: exit %d: %s" % (run.returncode, run.stdout[-200:]))
        return int(m[1])

    def stop_at(self, stop, seed):
        """'' or what was wrong after the next run."""
        self.stopped_run(stop, seed)
        run = campaigns.Repaired(self.truth, self.work)
        run.run()
        if run.wrong:
            return "%s\n%s" % (run.wrong[0], run.log)
        found = outcome.compare(self.standard, self.work)
        if found.unreadable or found.lost or found.moved or found.changed:
            return "%d files of the finished repair are not there: %s" % (
                len(found.lost + found.moved + found.changed), (found.lost + found.moved + found.changed or [found.unreadable])[0])
        return ""

    def stops(self, most):
        """Which writes to stop at: all, or about `most` of them, always the first and the last ones."""
        every = max(1, self.writes // most)
        return sorted(set(range(1, self.writes + 1, every)) | set(range(max(1, self.writes - 3), self.writes + 1)))


def run_campaign(recipe, image, folder, most):
    """(number of stops, [what was wrong]); NoPlace when the recipe does not suit the image."""
    c = Campaign(recipe, image, folder)
    wrong = []
    try:
        stops = c.stops(most)
        for stop in stops:
            for seed in (0, stop):
                bad = c.stop_at(stop, seed)
                if bad:
                    wrong.append("stopped at write %d of %d, seed %d: %s" % (stop, c.writes, seed, bad))
        return 2 * len(stops), wrong
    finally:
        c.close()
