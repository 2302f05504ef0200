"""Training of the networks: all that needs the extra ``cginit[train]``, and that no guess needs.

Data and their variations (`data`, `augmentation`, `pool`, `pairs`), layers and losses (`bodies`, `architectures`,
`losses`), the one training loop (`fitting`), what is learned (`subjects`), and the files that ship (`export`,
`card`), which `cginit.models` runs without PyTorch.
"""
