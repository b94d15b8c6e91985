# files of db/
