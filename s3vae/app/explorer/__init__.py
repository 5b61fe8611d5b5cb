"""The explorer: a page in which clips are swapped, changed, drawn and continued."""
