"""Which joints of a motion-capture clip are the course's, whatever its skeleton calls them."""
