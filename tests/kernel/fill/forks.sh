# SPDX-License-Identifier: BSD-2-Clause
# Two hundred files and directories whose forks have 1, 20 and $N extents, in every state and form.
# $M is the mount point, $B the block size, $N the number of extents of the big ones; guest is the helper of the box.

cd "$M"
guest soil soil			# no free block reads as zeros afterwards
mkdir one twenty big attr dirs spread

# 60 files of one extent: data, unwritten, shared.
guest mkfiles one 10000 40 $((5 * B - 77))
for i in 0 1 2 3 4 5 6 7 8 9; do
	guest space alloc one/unwritten-$i 0 $((7 * B))
	guest clone one/file-0000$i one/clone-$i
done

# 60 files of 20 extents: in no order, with holes, with unwritten blocks, shared.
guest write spread/source-a 20000 0 $((60 * B))
for i in 0 1 2 3 4 5 6 7 8 9; do
	guest scramble twenty/scrambled-$i 2000$i 20 $B
	guest scramble twenty/scrambled-1$i 2100$i 20 $B
	guest scramble twenty/scrambled-2$i 2200$i 20 $B
	guest sieve twenty/holes-$i 2300$i 20 $B
	guest stripes twenty/stripes-$i 2400$i 20 $B
	guest scatter spread/source-a twenty/scattered-$i 2500$i 20 $B
done

# 10 files of N extents.
for i in 0 1 2; do
	guest scramble big/scrambled-$i 3000$i $N $B
done
guest sieve big/holes 30100 $N $B
guest stripes big/stripes-0 30200 $N $B
guest stripes big/stripes-1 30201 $N $B
guest pair big/pair-a big/pair-b 30300 $N $B
guest write big/source 30400 0 $((N * B))
guest scatter big/source big/scattered-0 30401 $N $B
guest scatter big/scrambled-0 big/scattered-1 30402 $((N / 2)) $B

# A file whose blocks lie in several allocation groups, unshared, and one that shares them.
guest write one/source-b 40001 0 $((60 * B))
guest write twenty/source-c 40002 0 $((60 * B))
i=0
while [ $i -lt 60 ]; do
	case $((i % 3)) in
	0) from=spread/source-a ;;
	1) from=one/source-b ;;
	2) from=twenty/source-c ;;
	esac
	guest clonerange $from $((i * B)) $B spread/many-groups $((i * B))
	i=$((i + 1))
done
guest clone spread/many-groups spread/shared-groups
rm one/source-b twenty/source-c spread/shared-groups
guest clonerange spread/many-groups 0 $((30 * B)) spread/half 0

# Files and directories whose attribute or data fork grows while only single blocks are free.
: >dirs/name
for i in 0 1 2 3 4 5 6 7 8 9; do
	guest write attr/extents-$i 5000$i 0 $((3 * B))
	guest scramble attr/tree-$i 5100$i 20 $B
	mkdir dirs/twenty-$i dirs/twenty-1$i dirs/attr-$i dirs/one-$i dirs/one-1$i
	guest biglinks dirs/name dirs/one-$i 16 200
	guest biglinks dirs/name dirs/one-1$i 10 150
done
guest scramble attr/big-0 52000 $N $B
guest stripes attr/big-1 52001 $N $B
mkdir dirs/big
pieces=$((B < 4096 ? 4096 / B : 1))		# extents of a directory block
guest flush .

guest chess ballast $((N + 3500)) $B
for i in 0 1 2 3 4 5 6 7 8 9; do
	guest xattrs attr/extents-$i 5300$i 12 $((B / 20)) $((B / 2))
	guest xattrs attr/tree-$i 5400$i 24 $((B / 8)) $((3 * B))
	guest biglinks dirs/name dirs/twenty-$i $((14 * 18 / pieces)) 255 14
	guest biglinks dirs/name dirs/twenty-1$i $((14 * 20 / pieces)) 255 7
	guest xattrs dirs/attr-$i 5500$i 20 $((B / 8)) $((2 * B))
done
guest xattrs attr/big-0 56000 30 $((B / 8)) $((2 * B))
guest xattrs attr/big-1 56001 12 $((B / 20)) $((B / 2))
guest biglinks dirs/name dirs/big $((14 * N / 4)) 255 14	# N extents with 1k blocks, N / 4 with 4k
guest flush .
rm ballast ballast.reserve

for i in 0 3 9; do
	guest extents one/file-0000$i 1
	guest extents one/unwritten-$i 1
	guest extents twenty/scrambled-$i 20
	guest extents twenty/holes-$i 20
	guest extents twenty/stripes-$i 20
	guest extents twenty/scattered-$i 20
	guest extents dirs/one-$i 1
	guest extents dirs/twenty-$i 15 30
	guest attrextents attr/extents-$i 3
	guest attrextents attr/tree-$i 20
	guest attrextents dirs/attr-$i 15
done
for i in scrambled-0 scrambled-1 scrambled-2 holes stripes-0 stripes-1 scattered-0; do
	guest extents big/$i $N
done
guest extents big/pair-a $((N / 20)) $N
guest extents attr/big-0 $N
guest extents attr/big-1 $N
guest extents spread/many-groups 60
guest extents dirs/big $((N * pieces / 4 * 9 / 10)) $((N * pieces / 4 * 12 / 10))
guest attrextents attr/big-0 20
