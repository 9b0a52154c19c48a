"""The language server: what an editor shows of a program while it is written.

Everything that is found out about a text is plain data and knows nothing of the protocol (`reading`, `analysis`, `figures`,
`hover`, `inlay`, `completion`, `renaming`, `fixes`); `server` alone speaks it, through pygls.
"""
