# SPDX-License-Identifier: BSD-2-Clause
# xfs_io.bash - bash completion for xfs_io: options, commands behind -c and -C (with -x those for experts), files.

_xfs_io()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local commands="add_enckey aginfo allocsp bmap bulkstat bulkstat_single cancelupdate chattr chmod chproj close
		commitupdate copy_range cowextsize crc32cselftest dedupe enable_verity enckey_status exchangerange extsize fadvise
		falloc fcollapse fdatasync fiemap file finsert flink fpunch freesp fsmap fsuuid fsync funshare fzero get_encpolicy
		getdents getfsprops help inode inumbers label listfsprops log_writes lsattr lsproj madvise measure_verity mincore mmap
		mread mremap msync munmap mwrite open parent pread print pwrite quit readdir reflink removefsprops resvsp rginfo
		rm_enckey scrub scrubv seek sendfile set_encpolicy setfsprops splice startupdate stat statfs statx swapext sync
		sync_range syncfs sysfspath truncate unresvsp utimes zero"
	local expert="freeze getrusage imap inject repair resblks shutdown thaw"

	case $prev in
	-c | -C)
		case " ${COMP_WORDS[*]} " in
		*" -x "*) commands="$commands $expert" ;;
		esac
		COMPREPLY=($(compgen -W "$commands" -- "${cur#[\"\']}"))
		return
		;;
	-m | -p)
		return
		;;
	esac
	case $cur in
	-*)
		COMPREPLY=($(compgen -W "-a -c -C -d -f -F -i -L -m -n -p -P -r -R -s -t -T -V -x" -- "$cur"))
		;;
	*)
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "$cur"))
		;;
	esac
}
complete -F _xfs_io xfs_io
