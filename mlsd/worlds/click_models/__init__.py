"""How users go down a slate, by name: `pbm`, `cascade`, `dbn`."""
