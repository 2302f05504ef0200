"""Networks from g(r) to U(r).

`inference` and everything it needs runs without PyTorch; `architectures`, `losses`, `training` and `export` need
the extra ``cginit[train]`` and are imported by nothing else. `config`, `data`, `augmentation`, `features`,
`scale`, `domain` and `evaluate` are plain NumPy.
"""
