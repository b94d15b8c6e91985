# SPDX-License-Identifier: BSD-2-Clause
# The verbs of a job. Runs inside the box: sh /lib.sh JOBFILE

set -e
set -o pipefail
cd /box

# mnt NAME [mount options]: mount the image at /mnt/NAME
mnt() {
	_name=$1
	shift
	[ -e "/img/$_name" ] || { echo "no image $_name"; return 1; }
	mkdir -p "/mnt/$_name"
	mount -t xfs "$@" "/img/$_name" "/mnt/$_name"
}

# umnt NAME
umnt() {
	umount "/mnt/$1"
}

# again NAME [mount options]: unmount and mount, so that nothing comes from the page cache
again() {
	umnt "$1"
	mnt "$@"
}

# walk NAME [START]: print the checksum list
walk() {
	_name=$1
	shift
	guest walk "/mnt/$_name" "$@"
}

# check NAME LIST: compare the tree with a checksum list that was put into the box
check() {
	walk "$1" >/tmp/list || return 1
	cmp -s /tmp/list "$2" && return 0
	echo "tree differs from its checksum list (- expected, + found):"
	diff "$2" /tmp/list | sed -n 's/^\([-+][^-+]\)/\1/p' | head -n 20
	return 1
}

. "$1"
