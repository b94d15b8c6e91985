# SPDX-License-Identifier: BSD-2-Clause
# Directories in all forms, links, devices, attributes of all kinds and many inodes.
# $M is the mount point, $B the block size; guest is the helper program of the box.

cd "$M"
mkdir files directories links devices attributes deep names

# Inodes in partly filled chunks, and files of a few blocks.
guest mkfiles files/small 1000 900 300
guest mkfiles files/medium 3000 40 20001
guest mkfiles files/gone 5000 700 10
i=0
while [ $i -lt 700 ]; do
	[ $((i % 5)) -eq 0 ] || [ $i -gt 400 ] || rm files/gone/file-00$(printf %03d $i)
	i=$((i + 1))
done
: >files/empty
guest write files/sparse 6000 100m 5
guest space alloc files/unwritten 0 1m

# Directories: in the inode, one block, leaf, one node, many nodes; one that shrank.
mkdir directories/none directories/inline
: >directories/inline/a
: >directories/inline/bb
guest bigdir directories/block 40 30
guest bigdir directories/leaf 200 24
guest bigdir directories/node 1200 40
guest biglinks files/empty directories/big 9000 60
guest biglinks files/empty directories/long-names 500 255
guest biglinks files/empty directories/shrunk 3000 50 97
guest biglinks files/empty directories/shrunk-to-inline 1000 30 400

# Links.
ln -s target links/short
ln -s "$(printf '%060d' 7)" links/inline
ln -s "$(printf '%0340d' 7)" links/remote
ln -s "$(printf '%01023d' 7)" links/longest
ln -s /absolute/path/to/nothing links/dangling
i=0
while [ $i -lt 40 ]; do
	ln files/medium/file-00001 links/hard-$i
	i=$((i + 1))
done

# Devices.
mknod devices/null c 1 3
mknod devices/large-numbers c 4095 1048575 2>/dev/null || mknod devices/large-numbers c 511 65535
mknod devices/disk b 259 1000
mkfifo devices/fifo
guest socket devices/socket

# Attributes.
for kind in file directory; do
	[ $kind = file ] && new="touch" || new="mkdir"
	for form in one inline block tree remote big; do
		$new attributes/$kind-$form
	done
	guest setxattr attributes/$kind-one user.a ""
	guest xattrs attributes/$kind-inline 7000 3 5 20
	guest xattrs attributes/$kind-block 7100 10 20 $((B / 16))
	guest xattrs attributes/$kind-tree 7200 300 10 200
	guest xattrs attributes/$kind-remote 7300 10 $((B / 2)) $((3 * B))
	guest xattrs attributes/$kind-big 7400 3 65536 65536
	guest setxattr attributes/$kind-tree trusted.overlay "of root"
	guest setxattr attributes/$kind-tree security.label "of security"
	guest setxattr attributes/$kind-inline trusted.a "of root"
done
guest setxattr devices/null trusted.a "of a device"
guest setxattr devices/fifo trusted.b "$(printf '%0200d' 5)"
ln -s target links/with-attribute
guest setxattr links/with-attribute trusted.c "of a link"
ln -s "$(printf '%0200d' 7)" links/pushed-out
guest setxattr links/pushed-out trusted.d "$(printf '%0220d' 5)"

# Depth, odd names, owners, modes, times before 1970.
where=deep
i=0
while [ $i -lt 50 ]; do
	where=$where/d$i
	i=$((i + 1))
done
mkdir -p $where
: >"names/with blank"
: >"names/back\\slash"
: >"names/$(printf 'new\nline')"
: >"names/$(printf 'b\303\244r')"
: >"names/$(printf 'bad\377utf\001')"
: >names/-dash
: >"names/*"
touch -d '1960-01-01 00:00:00' names/old
touch names/owned
chown 65534:123456 names/owned
chmod 4751 names/owned
chmod 1777 names
