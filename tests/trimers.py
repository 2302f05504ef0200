"""Two trimers A-B-A in a LAMMPS data file."""

DATA = """trimers

6 atoms
2 atom types
4 bonds
1 bond types
0 15 xlo xhi
0 15 ylo yhi
0 15 zlo zhi

Masses

1 1.0 # A
2 1.0 # B

Atoms # molecular

1 1 1 1 1 1
2 1 2 2 1 1
3 1 1 3 1 1
4 2 1 1 5 1
5 2 2 2 5 1
6 2 1 3 5 1

Bonds

1 1 1 2
2 1 2 3
3 1 4 5
4 1 5 6
"""
