# SPDX-License-Identifier: BSD-2-Clause
# The image of the damage campaign: every form of every structure, trees of two and more levels where blocks are small.
# $M is the mount point, $B the block size; guest is the helper program of the box.

cd "$M"
guest soil soil			# no free block reads as zeros afterwards
mkdir plain maps shared unwritten attributes links directories trees many

# Files of a single extent, with a hole, with nothing, with space beyond their end.
guest mkfiles plain 1000 24 700
guest write plain/medium 1100 0 100001
guest write plain/sparse 1101 0 3000
guest write plain/sparse 1101 40k 5000
guest write plain/sparse 1101 9m 1
: >plain/empty
guest space alloc plain/beyond 0 16k
guest write plain/beyond 1102 0 5000
guest space keep plain/beyond 16k 64k

# More than a block of inode records, each with free inodes: one file in ten stays.
guest mkfiles many 9000 $((B < 4096 ? 4400 : 300)) 9
i=0
while [ $i -lt 4400 ]; do
	[ $((i % 10)) -eq 0 ] || rm -f many/file-$(printf %05d $i)
	i=$((i + 1))
done

# Files of many extents: holes between them, blocks in no order, two files that grew in turn.
guest sieve maps/holes-20 2000 20 $B
guest sieve maps/holes-150 2001 150 $B
guest sieve maps/holes-600 2002 600 $B
guest scramble maps/scrambled-15 2100 15 $B
guest scramble maps/scrambled-400 2101 400 $B
guest scramble maps/scrambled-1200 2102 1200 $B
guest pair maps/pair-a maps/pair-b 2200 250 $B

# Blocks that several files share.
guest write shared/source 3000 0 $((700 * B))
guest clone shared/source shared/copy
guest write shared/copy 3001 $((100 * B)) $((4 * B))
guest write shared/copy 3001 $((300 * B)) $B
guest scatter shared/source shared/scattered-300 3002 300 $B
guest scatter shared/source shared/scattered-650 3003 650 $B
guest clonerange shared/source $((64 * B)) $((64 * B)) shared/mosaic 0
guest clonerange shared/source 0 $((32 * B)) shared/mosaic $((128 * B))
guest write shared/mosaic 3004 $((64 * B)) $((64 * B))
i=0
while [ $i -lt 30 ]; do		# blocks of several allocation groups in turn
	guest clonerange shared/source $((2 * i * B)) $B shared/groups $((2 * i * B))
	guest clonerange maps/pair-a $((2 * i * B)) $B shared/groups $((2 * i * B + B))
	i=$((i + 1))
done
guest clonerange maps/scrambled-400 0 $((200 * B)) shared/of-scrambled 0

# Unwritten blocks lie on text of removed files: taken for data they change the checksum.
guest stripes unwritten/stripes-18 4000 18 $B
guest stripes unwritten/stripes-300 4001 300 $B
guest space alloc unwritten/whole 0 100k
guest space alloc unwritten/middle 0 60k
guest write unwritten/middle 4002 20k 5k
guest scramble unwritten/zeroed-200 4003 200 $B
guest space zero unwritten/zeroed-200 $((30 * B)) $((90 * B))

# Attributes in the inode, in one block, in a tree, with values in blocks of their own.
guest write attributes/inline 5000 0 2000
guest xattrs attributes/inline 5001 2 10 20
guest write attributes/leaf 5100 0 2000
guest xattrs attributes/leaf 5101 6 50 100
guest sieve attributes/tree 5200 30 $B
guest xattrs attributes/tree 5201 120 20 120
guest sieve attributes/remote 5300 200 $B
guest xattrs attributes/remote 5301 6 $((B * 3 / 4)) $((9 * B))
mkdir attributes/directory attributes/directory-leaf
guest setxattr attributes/directory user.of-a-directory yes
guest xattrs attributes/directory-leaf 5302 6 50 100
guest setxattr attributes/inline trusted.one 1
guest setxattr attributes/inline security.two 2

# Links and devices.
ln -s ../plain/medium links/short
ln -s "$(printf "%0500d" 0)" links/long
ln -s "$(printf "%01000d" 0)" links/longest
ln plain/medium links/hard
mknod links/null c 1 3
mknod links/disk b 259 1000
mkfifo links/fifo

# Directories in each form, and some below each other.
for i in 1 2 3 4 5; do : >directories/few-$i; done
mkdir directories/inline
ln plain/empty directories/inline/one
ln plain/empty directories/inline/two
guest biglinks plain/empty directories/block 40 30
guest biglinks plain/empty directories/leaf 300 20
guest biglinks plain/empty directories/node 700 20
mkdir trees/block trees/leaf
for i in 1 2 3 4 5 6; do
	mkdir -p trees/inline/d$i/e$i trees/leaf/a-directory-with-a-long-name-$i
	guest write trees/inline/d$i/e$i/file 600$i 0 3000
	guest write trees/leaf/a-directory-with-a-long-name-$i/file 610$i 0 3000
done
guest mkfiles trees/block 6200 40 1500
guest mkfiles trees/leaf 6300 260 900

# With only single blocks free, directories and attribute forks become fragmented too.
: >attributes/tree-fork
guest write attributes/both 5400 0 3000
guest chess ballast 900 $B
guest biglinks plain/empty directories/fragmented 500 100
guest xattrs attributes/tree-fork 5500 40 $((B / 5)) $((4 * B))
guest xattrs attributes/both 5501 12 $((B * 3 / 4)) $((3 * B))
guest write attributes/both 5400 3000 60k
guest flush .
rm ballast ballast.reserve

guest extents maps/holes-20 20
guest extents maps/holes-150 150
guest extents maps/holes-600 600
guest extents maps/scrambled-1200 1200
guest extents shared/scattered-650 650
guest extents unwritten/stripes-300 300
