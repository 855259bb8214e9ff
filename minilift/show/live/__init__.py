"""People as they come, in a browser: a page of this machine alone, and the server that feeds it."""
