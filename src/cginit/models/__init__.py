"""Trained networks at run time: their files and all that they need to be used, without PyTorch.

`model` runs a network, `shipped/` holds those that come with the package. `grid`, `scale` and `correlations` bring a
g(r) to what a network sees, `domain` says what it was trained on, `coverage` whether a g(r) is such a one. What
trains and exports them is `cginit.learn`, which nothing here imports.
"""
