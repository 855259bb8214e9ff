"""The playground: a page in which people move 2D joints and see what the network makes of them."""
