"""Reading files of pictures: one format a file. None of them is trusted."""
