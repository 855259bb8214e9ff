"""The heads that give depths: joints on the rays through their image points, or placed near them."""
