# files of repair/
