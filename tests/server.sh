# A private MariaDB server for as long as the calling script runs. Sourced.
#
# Its files are all in one folder, its socket too, and no port is open. Both
# programs run inside the folder and call the socket by its bare name, because
# a socket's path may have no more than 107 bytes.

# Debian keeps the database server out of an ordinary user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# None yet, whatever the caller's environment says: it would be ended.
server_pid=

server_program() { command -v mariadbd || command -v mysqld; }
client_program() { command -v mariadb || command -v mysql; }

# start_server FOLDER: a new server in a new folder. Sets server_pid.
start_server() {
    server_folder=$1
    mkdir -p "$server_folder/tmp"
    chmod 700 "$server_folder"
    # If this script is killed outright, the kernel ends the server.
    with_me=
    ! command -v setpriv >/dev/null 2>&1 || with_me='setpriv --pdeathsig TERM'
    server_command=$(server_program)
    (
        cd "$server_folder" || exit
        # shellcheck disable=SC2086
        exec $with_me "$server_command" --no-defaults --user="$(id -un)" \
            --datadir="$server_folder" --tmpdir=tmp --socket=sock --pid-file=pid \
            --log-error="$server_folder/log.err" --skip-networking --skip-grant-tables \
            --innodb=OFF --default-storage-engine=MyISAM \
            --key-buffer-size=32M --myisam-sort-buffer-size=64M --secure-file-priv=
    ) >"$server_folder/output" 2>&1 &
    server_pid=$!
    tries=0
    until sql 'DO 1' >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "$server_pid" 2>/dev/null; then
            cat "$server_folder/output" "$server_folder/log.err" >&2
            echo "The private MariaDB server did not start." >&2
            return 1
        fi
        sleep 0.1
    done
}

# sql STATEMENTS: runs them and prints the answer, columns parted by tabs.
sql() {
    client_command=$(client_program)
    (cd "$server_folder" && exec "$client_command" --no-defaults --protocol=socket --socket=sock \
        --skip-column-names --batch --execute="$1")
}

# Ends the server and removes its folder.
stop_server() {
    [ -n "${server_pid:-}" ] || return 0
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
    rm -rf "$server_folder"
}
