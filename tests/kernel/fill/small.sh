# SPDX-License-Identifier: BSD-2-Clause
# The sample for demonstration and quick tests: a bit of everything that a block map can be, on 32 MiB.
# $M is the mount point, $B the block size; guest is the helper program of the box.

cd "$M"
guest soil soil			# no free block reads as zeros afterwards
mkdir plain maps shared unwritten attributes links directories

# Small files, some of a single extent, some with a last block that is not full.
guest mkfiles plain 1000 24 700
guest write plain/medium 1100 0 100001
guest write plain/sparse 1101 0 3000
guest write plain/sparse 1101 40k 5000
guest write plain/sparse 1101 9m 1
: >plain/empty
guest space alloc plain/beyond 0 16k
guest write plain/beyond 1102 0 5000
guest space keep plain/beyond 16k 64k

# Files of many extents: holes between them, blocks in no order, two files that grew in turn.
guest sieve maps/holes-20 2000 20 $B
guest sieve maps/holes-150 2001 150 $B
guest sieve maps/holes-600 2002 600 $B
guest scramble maps/scrambled-15 2100 15 $B
guest scramble maps/scrambled-400 2101 400 $B
guest scramble maps/scrambled-1200 2102 1200 $B
guest pair maps/pair-a maps/pair-b 2200 250 $B

# Blocks that several files share.
guest write shared/source 3000 0 700k
guest clone shared/source shared/copy
guest write shared/copy 3001 100k 4k
guest write shared/copy 3001 300k 1k
guest scatter shared/source shared/scattered-300 3002 300 $B
guest scatter shared/source shared/scattered-650 3003 650 $B
guest clonerange shared/source 64k 64k shared/mosaic 0
guest clonerange shared/source 0 32k shared/mosaic 128k
guest write shared/mosaic 3004 64k 64k
i=0
while [ $i -lt 30 ]; do		# blocks of several allocation groups in turn
	guest clonerange shared/source $((2 * i * B)) $B shared/groups $((2 * i * B))
	guest clonerange maps/pair-a $((2 * i * B)) $B shared/groups $((2 * i * B + B))
	i=$((i + 1))
done
guest clonerange maps/scrambled-400 0 200k shared/of-scrambled 0

# Unwritten blocks lie on text of removed files: taken for data they change the checksum.
guest stripes unwritten/stripes-18 4000 18 $B
guest stripes unwritten/stripes-300 4001 300 $B
guest space alloc unwritten/whole 0 100k
guest space alloc unwritten/middle 0 60k
guest write unwritten/middle 4002 20k 5k
guest scramble unwritten/zeroed-200 4003 200 $B
guest space zero unwritten/zeroed-200 30k 90k

# Attributes in the inode, in one block, in a tree, with values in blocks of their own.
guest write attributes/inline 5000 0 2000
guest xattrs attributes/inline 5001 2 10 20
guest write attributes/leaf 5100 0 2000
guest xattrs attributes/leaf 5101 6 50 100
guest sieve attributes/tree 5200 30 $B
guest xattrs attributes/tree 5201 120 20 120
guest sieve attributes/remote 5300 200 $B
guest xattrs attributes/remote 5301 6 800 9000
mkdir attributes/directory
guest setxattr attributes/directory user.of-a-directory yes
guest setxattr attributes/inline trusted.one 1
guest setxattr attributes/inline security.two 2

# Links and devices.
ln -s ../plain/medium links/short
ln -s "$(printf '%0500d' 0)" links/long
ln plain/medium links/hard
mknod links/null c 1 3
mknod links/disk b 259 1000
mkfifo links/fifo

# Directories in each form.
for i in 1 2 3 4 5; do : >directories/few-$i; done
mkdir directories/inline
ln plain/empty directories/inline/one
ln plain/empty directories/inline/two
guest biglinks plain/empty directories/block 40 30
guest biglinks plain/empty directories/leaf 300 20
guest biglinks plain/empty directories/node 700 20

# With only single blocks free, directories and attribute forks become fragmented too.
: >attributes/tree-fork
guest write attributes/both 5400 0 3000
guest chess ballast 900 $B
guest biglinks plain/empty directories/fragmented 500 100
guest xattrs attributes/tree-fork 5500 40 200 4000
guest xattrs attributes/both 5501 12 700 3000
guest write attributes/both 5400 3000 60k
guest flush .
rm ballast ballast.reserve

guest extents maps/holes-20 20
guest extents maps/holes-150 150
guest extents maps/holes-600 600
guest extents maps/scrambled-15 15
guest extents maps/scrambled-400 400
guest extents maps/scrambled-1200 1200
guest extents maps/pair-a 40 250
guest extents maps/pair-b 40 250
guest extents shared/scattered-300 300
guest extents shared/scattered-650 650
guest extents shared/groups 60
guest extents shared/of-scrambled 200
guest extents unwritten/stripes-18 18
guest extents unwritten/stripes-300 300
guest extents unwritten/zeroed-200
guest extents attributes/both 20 80
guest extents directories/fragmented 50 200
guest attrextents attributes/tree 4
guest attrextents attributes/remote 2
guest attrextents attributes/tree-fork 40
guest attrextents attributes/both 15
