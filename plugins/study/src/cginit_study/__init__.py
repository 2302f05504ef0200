"""The published study on this project's data: 24 networks g -> U, 90 networks U -> P, their figures and numbers.

F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123 (2021), doi:10.1063/5.0045441.
"""
