# SPDX-License-Identifier: BSD-2-Clause
"""docs/damage.md: what each recipe left intact, changed, moved and lost."""

HEAD = """# What repairs keep

Made by `tests/damage/run --table docs/damage.md`; each line is a recipe of `tests/damage/recipes` on one image. The images are made
by Linux: **1k** (blocks of 1 KiB, trees of two and three levels), **4k**, **parent** (with parent pointers), all with rmapbt and
reflink. Every recipe: repair ends with 0, the second run finds nothing, the distribution's `xfs_repair -n` (where it knows the
features) and the independent judge find nothing, with `-m 8` every byte is the same, and each file is compared with the checksum list:

- *intact*: same path, contents, attributes, inode, owner, permissions, links
- *changed*: same path and contents (but for zeroes at the end), and not all of the rest
- *moved*: the same, elsewhere (lost+found, or another of its names)
- *lost*: neither

The images **metadir**, **rtgroups** and **rtgroups-1k** (quota files and realtime groups in a metadata directory) are made by our own
mkfs.xfs and `tests/helpers/metadir.c` from the format alone. The distribution's tools do not know them, so the independent judge is the
only one here; Linux 6.18 and xfsprogs 7.2 were asked with `tests/kernel/repair-groups.t`.

"""


IMAGES = ("1k", "4k", "parent")


def reasons(recipes):
    lines = ["## Exceptions\n",
             "No damage of a single structure loses a file's data, except where the blocks themselves are gone. What may happen"
             " all the same, to which paths (`gone`: to what stood nowhere but in the damaged bytes), and why:\n",
             "| recipe | may happen | why |", "|---|---|---|"]
    for r in recipes:
        if r.tolerated:
            may = ", ".join("%s: `%s`" % pair for pair in r.tolerated)
            lines.append("| %s | %s | %s |" % (r.name, may, r.reason))
    return "\n".join(lines) + "\n"


def table(results, recipes):
    ran = [r for r in results if not r.skip]
    good = sum(r.good for r in ran)
    text = [HEAD, "%d recipes, %d runs: %d ended as they should, %d did not.\n" % (len({r.name for r in ran}), len(ran), good,
                                                                                len(ran) - good)]
    missing = sum(len(r.images or IMAGES) for r in recipes) - len(results)
    if missing > 0:
        text.append("%d further runs have not been made yet: `--state FILE` goes on with them.\n" % missing)
    read = sum(r.kernel for r in ran)
    if read:
        text.append("%d of the results were mounted by Linux, too, which read every file of them.\n" % read)
    for group in dict.fromkeys(r.group for r in ran):
        text += ["\n## %s\n" % group.replace("-", " ").capitalize(),
                 "| recipe | image | intact | changed | moved | lost | result |", "|---|---|---:|---:|---:|---:|---|"]
        for r in ran:
            if r.group == group:
                counts = r.counts[:4] if r.counts else ("?",) * 4
                verdict = "as it should" if r.good else "**" + r.wrong[0].replace("|", "/")[:60] + "**"
                text.append("| %s | %s | %s | %s |" % (r.name, r.image, " | ".join(str(c) for c in counts), verdict))
    return "\n".join(text) + "\n\n" + reasons(recipes)
