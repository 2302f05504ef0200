# What the atomistic simulations of the examples share; sourced, with $here the folder of topology and parameters.
#
# Environment: GMX (the GROMACS program, default gmx), THREADS (default 1), STEPS (production steps in place of those of
# production.mdp).
gmx=${GMX:-gmx}
threads=${THREADS:-1}
steps=${STEPS:-}

# in_folder FOLDER: goes there, with the topology.
in_folder() {
    mkdir -p "$1"
    cd "$1"
    cp "$here/topol.top" .
}

# mdrun NAME [OPTION...]: runs or continues NAME.tpr, and does nothing where it has already ended.
mdrun() {
    name=$1
    shift
    "$gmx" mdrun -deffnm "$name" -ntmpi 1 -ntomp "$threads" -pin off -reprod -cpi "$name.cpt" -cpt 5 "$@"
}

# grompp NAME START [OPTION...]: makes NAME.tpr once.
grompp() {
    name=$1
    start=$2
    shift 2
    [ -f "$name.tpr" ] || "$gmx" grompp -f "$here/$name.mdp" -p topol.top -c "$start" -o "$name.tpr" \
        -po "$name.out.mdp" "$@"
}

# produce START OPTION...: the production run from the end of another.
produce() {
    [ -f production.gro ] && return
    grompp production "$@"
    mdrun production ${steps:+-nsteps "$steps"}
}
