# SPDX-License-Identifier: BSD-2-Clause
"""The whole judgement, in order: log, superblocks, groups, inodes, links, space, counters."""

import stat

from xfsread.device import Image, ReadError
from xfsread.fs import Fs
from xfsread.log import Log, LogError
from xfsread.superblock import NULLINO, V_ATTR, V_QUOTA

from .groups import Group
from .inodes import InodeRules
from .links import Links, follow_unlinked
from .metadir import check_metadir, check_rt_super
from .quota import check_quota
from .realtime import check_realtime
from .space import check_space
from .superblocks import check_primary, check_secondary


def special_inodes(fs):
    """{inode number: role} of metadata inodes that the superblock names."""
    sb, result = fs.sb, {}
    if sb.metadir:
        return result
    result[sb.rbmino] = "rt bitmap"
    result[sb.rsumino] = "rt summary"
    for name, value in (("user quota", sb.uquotino), ("group quota", sb.gquotino),
                        ("project quota", sb.pquotino if sb.v5 else 0)):
        if value not in (0, NULLINO) and sb.versionnum & V_QUOTA:
            result[value] = name
    return result


def check_log(fs, device):
    """A clean unmount, and the limit of all LSNs."""
    if not fs.sb.logstart and device is None:
        return
    try:
        log = Log(fs, device).find()
    except (LogError, ReadError, IndexError) as err:
        fs.rep.add("log-bad", "log", str(err), "records")
        return
    if fs.v5:
        fs.lsn_limit = log.lsn
    if not log.clean:
        fs.rep.add("log-dirty", "log", log.reason, "an unmount record at the head")


def check_inodes(fs, groups, special):
    """All inodes of all chunks; {number: Known} of those in use."""
    rules = InodeRules(fs, groups, special)
    inodes = {}
    for group in groups:
        for chunk in group.chunks:
            for index in range(64):
                if not chunk.exists(index):
                    continue
                ino = fs.join_ino(group.agno, chunk.startino + index)
                try:
                    raw = fs.image.read(fs.ino_byte(ino), fs.isize)
                except ReadError as err:
                    fs.rep.add("inode-read", "inode %d" % ino, str(err))
                    continue
                if chunk.is_free(index):
                    rules.free(ino, raw)
                    continue
                known = rules.used(ino, raw)
                if known is not None:
                    inodes[ino] = known
    return inodes, rules


def check_counters(fs, groups, inodes):
    """Superblock counters: format sheet 01, section 11.1."""
    sb, rep = fs.sb, fs.rep
    free = sum(group.agf.freeblks + group.agf.flcount + group.tree_blocks() for group in groups)
    for field, right in (("icount", sum(group.agi.count for group in groups)),
                         ("ifree", sum(group.agi.freecount for group in groups)), ("fdblocks", free)):
        found = getattr(sb, field)
        if found != right:
            rep.add("sb-" + field, "superblock", found, right)
    if not sb.versionnum & V_ATTR and any(known.has_attrs for known in inodes.values()):
        rep.add("sb-attr-bit", "superblock", hex(sb.versionnum), "ATTR set: there are attributes")


def check_special(fs, special, inodes):
    """Metadata inodes of the superblock exist and are regular files."""
    for ino, role in special.items():
        known = inodes.get(ino)
        if known is None or not stat.S_ISREG(known.mode):
            fs.rep.add("special-inode", role, "inode %d" % ino, "a regular file in use")


def judge(path, rep, offset=0, check_crc=True, logdev=None, rtdev=None):
    """Judge an image; findings go to rep. NotXfs, OSError or ReadError when it can't be read."""
    image = Image(path, offset)
    try:
        fs = Fs(image, rep, check_crc)
        check_log(fs, logdev)
        check_primary(fs)
        for agno in range(1, fs.agcount):
            check_secondary(fs, agno)
        groups = [Group(fs, agno) for agno in range(fs.agcount)]
        special = special_inodes(fs)
        follow_unlinked(fs, groups)
        inodes, rules = check_inodes(fs, groups, special)
        check_special(fs, special, inodes)
        Links(fs, inodes, special, groups).run()
        flags = {ino: bool(known.flags2 & 2) for ino, known in inodes.items()}
        for group in groups:
            check_space(group, flags)
        check_metadir(fs, inodes)
        check_realtime(fs, rules, inodes)
        if rtdev:
            check_rt_super(fs, Image(rtdev))
        check_quota(fs, special, inodes, rules.rt_claims)
        check_counters(fs, groups, inodes)
        fs.finish()
    finally:
        image.close()
    return rep
