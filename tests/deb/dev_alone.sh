# The library for those who write programs in C.
# shellcheck source-path=SCRIPTDIR source=common.sh
. /srv/common.sh

apt update
apt install gcc libc6-dev pkg-config /srv/new/libemonfeed-dev_*.deb /srv/new/libemonfeed0_*.deb
for other in emonfeed "$extension"; do
    ! is_installed "$other" || fail "libemonfeed-dev pulled in $other"
done

make_feed
cd /tmp || exit
block c >task.c
strict='-std=c11 -Wall -Wextra -Wpedantic -Werror'
# shellcheck disable=SC2046,SC2086
gcc $strict task.c $(pkg-config --cflags --libs emonfeed) -o shared
./shared | hours 'C with the shared library'
needs() { readelf --wide --dynamic "$1" | grep -q 'NEEDED.*\[libemonfeed\.so\.0\]'; }
needs shared || fail "the program does not ask for libemonfeed.so.0"

# shellcheck disable=SC2046,SC2086
gcc $strict task.c $(pkg-config --static --cflags --libs emonfeed | sed 's/-lemonfeed/-l:libemonfeed.a/') -o static
! needs static || fail "the program asks for a shared library"
apt purge libemonfeed-dev libemonfeed0
./static | hours 'C with the static library'
! ./shared >/dev/null 2>&1 || fail "the library is still there"
