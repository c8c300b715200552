# Minimal Debians in target/: made by debootstrap, once for each release, and used in
# namespaces of their own, so that no mount and no process outlives a use. For root.
# To be sourced, in the root of the tree, by who has said what `fail` does.

# alone_in FOLDER: who comes second would remove what the first one works in. File 9
# holds the lock; sudo must not, which runs this again.
alone_in() {
    mkdir -p "$1"
    exec 9<"$1"
    flock --nonblock 9 || fail "another run is at work in $1"
}

# debian_sources: of this machine's lines for apt, those that are Debian's: mirror,
# release and component.
debian_sources() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' | sort -u
}

# debian_mirror: where this machine has Debian from.
debian_mirror() {
    mirror=$(debian_sources | awk '$3 == "main" && $1 ~ /^https?:/ && $1 !~ /security/ { print $1; exit }')
    # Not all have one that debootstrap knows how to ask, as in images for clouds.
    echo "${mirror:-http://deb.debian.org/debian}"
}

# make_base RELEASE FOLDER: puts a minimal Debian into FOLDER/base-RELEASE.tar, if
# there is none. What debootstrap said is in FOLDER/debootstrap.log.
make_base() {
    [ ! -f "$2/base-$1.tar" ] || return 0
    mirror=$(debian_mirror)
    echo "making a minimal Debian ($1)"
    rm -rf "$2/base"
    mkdir -p "$2"
    # What it mounts there is gone when it is killed.
    unshare --mount debootstrap --variant=minbase "$1" "$2/base" "$mirror" >"$2/debootstrap.log" 2>&1 ||
        fail "debootstrap failed: $(tail -n 5 "$2/debootstrap.log")"
    tar -C "$2/base" -cf "$2/base-$1.tar.new" .
    mv "$2/base-$1.tar.new" "$2/base-$1.tar"
    rm -rf "$2/base"
}

# unpack_base RELEASE FOLDER ROOT: a new minimal Debian in ROOT, which reaches what
# this machine reaches.
unpack_base() {
    rm -rf "$3"
    mkdir -p "$3"
    tar -C "$3" -xpf "$2/base-$1.tar"
    cp /etc/resolv.conf /etc/hosts "$3/etc/"
    apt-config dump | grep '^Acquire::[a-z]*::Proxy' >"$3/etc/apt/apt.conf.d/90proxy" || true
    echo 'Acquire::Retries "5";' >"$3/etc/apt/apt.conf.d/80retries"
    # No package starts a service.
    printf '#!/bin/sh\nexit 101\n' >"$3/usr/sbin/policy-rc.d"
    chmod 755 "$3/usr/sbin/policy-rc.d"
    # What is installed here need not survive a power cut.
    echo force-unsafe-io >"$3/etc/dpkg/dpkg.cfg.d/unsafe"
}

# in_chroot ROOT MOUNTS COMMAND...: runs COMMAND as root of that Debian; MOUNTS, a
# shell's commands, are run before, with ROOT as $1.
in_chroot() {
    root=$1 mounts=$2
    shift 2
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child sh -euc '
        root=$1 mounts=$2
        shift 2
        # A mount point of its own, as programs that make namespaces need it.
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        set -- "$root" "$@"
        eval "$mounts"
        shift
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
    ' sh "$root" "$mounts" "$@"
}
