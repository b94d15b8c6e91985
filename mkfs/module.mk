# files of mkfs/
