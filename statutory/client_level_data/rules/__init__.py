"""Row and file checks of the return, one small file each, by reporting year."""
