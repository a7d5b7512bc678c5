# shellcheck shell=bash
# The state folder, and processes by id.

STATE_MARK=.stakeout-cluster

# Its files are found by their place; a folder without the mark is not ours and
# is never removed.
make_state() {
	STATE=${STAKEOUT_CLUSTER_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/stakeout-cluster.XXXXXX")}
	case $STATE in
	/*) ;;
	*) die "the state folder must be an absolute path: $STATE" ;;
	esac
	# The paths go unquoted into configuration files and into `env`.
	case $STATE in
	*[!A-Za-z0-9._/-]*) die "the state folder's name has odd characters: $STATE" ;;
	esac
	if [ -n "$(ls -A "$STATE" 2>/dev/null)" ] && [ ! -e "$STATE/$STATE_MARK" ]; then
		die "not empty and not ours: $STATE"
	fi
	mkdir -p "$STATE/nodes" "$STATE/ssh"
	chmod 0700 "$STATE"
	touch "$STATE/$STATE_MARK"
}

open_state() {
	STATE=${STAKEOUT_CLUSTER_DIR:-${STATE:-}}
	[ -n "$STATE" ] || die 'STAKEOUT_CLUSTER_DIR is not set'
	[ -e "$STATE/$STATE_MARK" ] || die "no cluster in $STATE"
}

# Everything mounted below it went with the nodes' mount namespaces.
remove_state() {
	[ -e "$STATE/$STATE_MARK" ] || die "not ours: $STATE"
	rm -rf --one-file-system -- "$STATE"
}

# A process id alone may have been given to another process since.
record() { # FILE PID
	printf '%s %s\n' "$2" "$(start_time "$2")" >"$1.new"
	mv "$1.new" "$1"
}

start_time() { # PID
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

alive() { # FILE
	local pid time
	read -r pid time 2>/dev/null <"$1" || return 1
	[ "$(start_time "$pid")" = "$time" ]
}

pid_of() { # FILE
	local pid
	alive "$1" || die "not running: $1"
	read -r pid _ <"$1"
	printf '%s\n' "$pid"
}

end() { # FILE
	local pid
	if alive "$1"; then
		read -r pid _ <"$1"
		kill -KILL "$pid"
		wait_for 30 "the end of $1" dead "$1"
	fi
	rm -f "$1"
}

dead() { ! alive "$1"; }

wait_for() { # SECONDS WHAT COMMAND...
	local limit=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$limit" ]; then
			say "timed out waiting for $what"
			return 1
		fi
		sleep 0.2
	done
}
