# SPDX-License-Identifier: BSD-2-Clause
"""Recipes in text: what is damaged, and what must come back (README.md tells the language)."""
import fnmatch
import glob
import os
import re

from change import VERBS

HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCES = {      # what each allows
    "meta": ("meta",), "size": ("size", "meta"), "attrs": ("attrs", "meta"), "moved": ("moved", "meta"),
    "lost": ("lost", "moved", "size", "attrs", "meta"), "new": ("new",),
    "gone": (),     # what stood nowhere but in the bytes that are damaged
}


class Change:
    """FIELD VERB [NUMBER] on all places of a selector."""

    def __init__(self, text):
        words = text.split()
        if len(words) not in (2, 3) or words[1] not in VERBS:
            raise ValueError("not a change: " + text)
        self.field, self.verb = words[:2]
        self.argument = words[2] if len(words) == 3 else None
        if self.argument and self.verb != "copy":
            self.argument = int(self.argument, 0)
        if (self.verb in ("set", "copy")) != (self.argument is not None) and self.verb not in ("add", "sub"):
            raise ValueError("a number too many or missing: " + text)


class Recipe:
    """One line of a recipe file, or one of those that <...> in it stands for."""

    def __init__(self, name, steps, expect, reason, images, group):
        self.name, self.images, self.group, self.reason = name, images, group, reason
        self.crc, self.steps, self.tolerated = "fix", [], []
        self.text = "%s | %s" % (steps, expect)
        for step in steps.split("&"):
            selector, colon, changes = step.partition(":")
            if not colon:
                raise ValueError("%s: no changes in %s" % (name, step))
            words = changes.split(",")
            if words[-1].split()[-1] in ("stale", "fix"):
                *rest, self.crc = words[-1].split()
                words[-1] = " ".join(rest)
            self.steps.append((selector.strip(), [Change(w.strip()) for w in words]))
        for word in expect.split():
            if word == "all":
                continue
            kind, _, pattern = word.partition(":")
            if kind not in TOLERANCES:
                raise ValueError("%s: not an expectation: %s" % (name, word))
            self.tolerated.append((kind, pattern or "*"))
        if self.tolerated and not reason:
            raise ValueError(name + ": an exception needs its reason")

    def tolerates(self, kind, path, gone={}):
        """May the file at `path` (without leading slash) end as `kind`? gone: {path: kinds} of what was nowhere but where the damage is."""
        return any((kind in gone.get(path, ()) if k == "gone" else kind in TOLERANCES[k])
                   and fnmatch.fnmatch(path, pattern)
                   for k, pattern in self.tolerated)

    def apply(self, objects):
        """Changes the image; raises NoPlace when it has nothing of the kind."""
        for selector, changes in self.steps:
            for place in objects.places.select(selector):
                for change in changes:
                    objects.change(place, change.field, change.verb, change.argument)
        objects.finish(self.crc)


def expand(line):
    """Lines with each of the words of <one two three> in its place: `$1` elsewhere in the line, and the name."""
    m = re.search(r"<([^>]*)>", line)
    if not m:
        return [line]
    lines = []
    for word in m[1].split():
        name = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")
        lines += expand((line[:m.start()] + name + line[m.end():]).replace("$1", word))
    return lines


def read_recipes(more=()):
    """All recipes, in the order of the files; `more`: further files."""
    recipes, names = [], set()
    for path in sorted(glob.glob(os.path.join(HERE, "recipes", "*.txt"))) + [os.path.join(HERE, m) for m in more]:
        images, group = None, os.path.basename(path)[3:-4]
        with open(path) as f:
            for number, line in enumerate(f, 1):
                line = line.split("#", 1)[0].strip()
                if line.startswith("@images"):
                    images = tuple(line.split()[1:])
                elif line:
                    for one in expand(line):
                        columns = [c.strip() for c in one.split("|")] + [""]
                        try:
                            recipe = Recipe(columns[0], columns[1], columns[2], columns[3], images, group)
                        except (ValueError, IndexError) as err:
                            raise SystemExit("%s:%d: %s" % (path, number, err))
                        if recipe.name in names:
                            raise SystemExit("%s:%d: %s is there twice" % (path, number, recipe.name))
                        names.add(recipe.name)
                        recipes.append(recipe)
    return recipes
