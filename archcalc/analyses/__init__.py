"""Questions asked of a net: one file, one public verb each."""
