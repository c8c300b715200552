# What the benchmarks have in common. Sourced in the project's folder; paths that were
# given to them count from the folder $called_in.

. tests/server.sh

fail() {
    echo "${0##*/}: $1" >&2
    exit 1
}
say() { echo "$(date +%T)  $*" >&2; }

# absolute PATH: as the caller meant it; none for none.
absolute() {
    case $1 in '' | /*) echo "$1" ;; *) echo "$called_in/$1" ;; esac
}

# demand PROGRAM...: fails unless all of them are here, and a server.
demand() {
    for program in "$@"; do
        command -v "$program" >/dev/null || fail "there is no $program here"
    done
    server_program >/dev/null || fail 'there is no MariaDB server here'
    client_program >/dev/null || fail 'there is no MariaDB client here'
}

# work_in FOLDER: sets work, a folder in it that ends with the script, as the server
# does. What has to be done before that is `let_go`.
work_in() {
    mkdir -p "$1"
    work=$(cd "$1" && pwd -P)/run
    trap 'stop_server; let_go; rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    rm -rf "$work"
    mkdir -p "$work"
}
let_go() { :; }

# machine: its processors, memory and kernel.
machine() {
    processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    memory=$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1e6 }' /proc/meminfo)
    echo "$(nproc) cores${processor:+ ($processor)}, $memory memory, Linux $(uname -r)"
}

# describe_machine FOLDER COMMAND PROGRAM...: lines of a name and a value, parted
# by a tab. FOLDER is where the measured files are, COMMAND is emonfeed's, and
# PROGRAM are others worth naming, with their versions.
describe_machine() {
    folder=$1
    command=$2
    shift 2
    device=$(df --output=source "$folder" | tail -n 1)
    kind=$(df --output=fstype "$folder" | tail -n 1)
    mounted=$(awk -v d="$(df --output=target "$folder" | tail -n 1)" '$2 == d { o = $4 } END { print o }' /proc/mounts)
    disk=$(lsblk -dno MODEL,SIZE "$device" 2>/dev/null | awk '{ $1 = $1; print }') || disk=
    commit=$(git rev-parse --short HEAD 2>/dev/null) || commit=
    if [ -n "$commit" ] && [ -n "$(git status --porcelain -- Cargo.lock Cargo.toml build.rs src php-ext 2>/dev/null)" ]; then
        commit="$commit with changes"
    fi
    programs="$("$command" --version)${commit:+ (commit $commit)}"
    for program in "$@"; do programs="$programs, $program"; done
    echo "machine	$(machine)"
    echo "file system	$kind ($mounted) on $device${disk:+ ($disk)}"
    echo "programs	$programs"
}
