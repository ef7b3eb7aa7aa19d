"""How several raters' grades of the same pair become one."""
