# What the reports say of the machine and the programs. Sourced.

# describe_machine FOLDER COMMAND PROGRAM...: lines of a name and a value, parted
# by a tab. FOLDER is where the measured files are, COMMAND is emonfeed's, and
# PROGRAM are others worth naming, with their versions.
describe_machine() {
    folder=$1
    command=$2
    shift 2
    processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    memory=$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1e6 }' /proc/meminfo)
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
    echo "machine	$(nproc) cores${processor:+ ($processor)}, $memory memory, Linux $(uname -r)"
    echo "file system	$kind ($mounted) on $device${disk:+ ($disk)}"
    echo "programs	$programs"
}
