"""What pages have in common: one file that loads nothing, base style, packed numbers, colours."""
