# SPDX-License-Identifier: BSD-2-Clause
"""Crash campaign: the repair of a damaged image is stopped at a write; the next run must come to the same files."""
import os
import re
import subprocess

import campaigns
import change
import outcome
from places import NoPlace, campaign
from recipe import HERE, read_recipes

STOPS = os.path.join(campaign.BUILD, "bin", "tests", "damage", "stops")
CRASH = os.path.join(campaign.BUILD, "bin", "tests", "damage", "crash")


class Campaign:
    """One recipe on one image: the undisturbed repair is the standard for all others."""

    def __init__(self, recipe, image, folder):
        self.recipe, self.truth = recipe, campaigns.truth_of(image)
        name = os.path.join(folder, "%s-%s" % (recipe.name, image))
        self.damaged, self.work, self.finished = name + ".damaged", name + ".work", name + ".finished"
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
        campaign.copy_sparse(self.work, self.finished)
        self.standard = outcome.list_files(self.finished)

    def close(self):
        for path in (self.damaged, self.work, self.finished):
            campaign.remove(path)

    def stopped_run(self, stop, seed):
        """Repairs a fresh copy up to write `stop`; number of writes seen."""
        campaign.copy_sparse(self.damaged, self.work)
        run = subprocess.run([CRASH, self.work, str(stop), str(seed)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, timeout=300)
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
        found = outcome.compare(self.standard, self.finished, self.work)
        if found.unreadable or found.files:
            return "%d files of the finished repair are not there: %s" % (len(found.files), (list(found.files) or [found.unreadable])[0])
        return ""

    def each_write(self, every, twice):
        """(number of stops, [what was wrong]) of the program that does them all above the image (stops.c)."""
        run = subprocess.run([STOPS, self.damaged, str(every), str(twice)], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace")
        m = re.search(r"^writes (\d+) barriers (\d+) stops (\d+) wrong (\d+)", run.stdout, re.M)
        wrong = [line for line in run.stdout.splitlines() if not line.startswith("writes ")]
        return (int(m[3]) if m else 0), wrong or ([] if m and run.returncode == 0
                                                  else ["stops: exit %d" % run.returncode])


def read_list():
    """[(recipe, image)] of crashes.txt."""
    recipes = {r.name: r for r in read_recipes()}
    with open(os.path.join(HERE, "crashes.txt")) as f:
        words = [line.split() for line in f if line.strip() and line[0] != "#"]
    return [(recipes[name], image) for name, image in words]


def run_campaign(recipe, image, folder, every, twice, others):
    """(number of stops, [what was wrong]); `others`: so many of them are looked at by the other judges as well."""
    c = Campaign(recipe, image, folder)
    try:
        stops, wrong = c.each_write(every, twice)
        for k in range(others):
            stop = 1 + c.writes * (2 * k + 1) // (2 * others)
            bad = c.stop_at(stop, stop * (k % 2))
            if bad:
                wrong.append("stopped at write %d of %d, seed %d: %s" % (stop, c.writes, stop * (k % 2), bad))
        return stops + others, wrong
    finally:
        c.close()
