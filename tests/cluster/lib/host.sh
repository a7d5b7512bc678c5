# shellcheck shell=bash
# What surrounds the nodes: a network that only exists in namespaces of its own,
# and a cgroup per node.

# Addresses set aside for documentation: no real host has them.
JUMP_ADDRESS=198.51.100.1

address_of() { # NODE
	case $1 in
	cp-1) echo 198.51.100.11 ;;
	w-1) echo 198.51.100.12 ;;
	*) die "no such node: $1" ;;
	esac
}

# The jump host is a network namespace with the bridge that the nodes are on;
# the machine's own network never sees it. One process holds it.
start_jump() {
	setsid unshare --net "$BIN/pause" </dev/null >/dev/null 2>&1 9>&- &
	record "$STATE/jump" $!
	wait_for 10 'the jump namespace' own_network "$!"
	at_jump ip link set lo up
	at_jump ip link add br0 type bridge
	at_jump ip addr add "$JUMP_ADDRESS/24" dev br0
	at_jump ip link set br0 up
}

own_network() { # PID
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

at_jump() {
	nsenter --net="/proc/$(pid_of "$STATE/jump")/ns/net" -- "$@"
}

start_nodes() {
	local node
	save_sysctls
	for node in $NODES; do
		make_node_files "$node"
		start_node "$node"
	done
	for node in $NODES; do
		wait_for 60 "containerd on $node" containerd_answers "$node"
	done
	say 'nodes are up'
}

# The subshell joins the node's cgroups before the namespace is made, so that
# they are the root of what the node sees and two kubelets do not take each
# other's pods for orphans.
start_node() { # NODE
	make_cgroups "$1"
	(
		join_cgroups "$1"
		exec setsid unshare --mount --uts --ipc --net --cgroup \
			bash "$HERE/lib/inside.sh" "$1" "$(address_of "$1")" "$STATE/nodes/$1" \
			"$(pid_of "$STATE/jump")" "$BIN" "$IMAGES"
	) </dev/null >"$STATE/nodes/$1/start.log" 2>&1 9>&- &
	wait_for 30 "node $1" test -s "$STATE/nodes/$1/pid.new"
	record "$STATE/nodes/$1/pid" "$(cat "$STATE/nodes/$1/pid.new")"
}

containerd_answers() { # NODE
	enter "$1" test -e /run/images-ready
}

# What runs in a node counts to it, also for who reads its own /proc/self/cgroup.
enter() { # NODE COMMAND...
	(
		local pid
		pid=$(pid_of "$STATE/nodes/$1/pid")
		join_cgroups "$1"
		cd /
		exec nsenter --target "$pid" --mount --uts --ipc --net --pid --cgroup -- \
			env -i HOME=/root USER=root LOGNAME=root TERM="${TERM:-dumb}" \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"
	)
}

# The service loops look for these files (inside.sh).
# shellcheck disable=SC2016
service_stop() { # NODE NAME
	enter "$1" sh -c '
		touch "/run/keep/$1.off"
		pid=$(cat "/run/keep/$1.pid") && kill "$pid" || exit 0
		while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done' sh "$2"
}

service_start() { # NODE NAME
	enter "$1" rm -f "/run/keep/$2.off"
}

cgroup_name() { # NODE
	printf 'stakeout-%s-%s\n' "$(printf %s "$STATE" | cksum | cut -d ' ' -f 1)" "$1"
}

hierarchies() { find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d ! -name unified; }

make_cgroups() { # NODE
	local hierarchy name
	name=$(cgroup_name "$1")
	for hierarchy in $(hierarchies); do
		mkdir -p "$hierarchy/$name"
		# A new cpuset is empty, and no process can be put into it.
		if [ -e "$hierarchy/cpuset.cpus" ]; then
			cat "$hierarchy/cpuset.cpus" >"$hierarchy/$name/cpuset.cpus"
			cat "$hierarchy/cpuset.mems" >"$hierarchy/$name/cpuset.mems"
		fi
	done
}

join_cgroups() { # NODE
	local hierarchy name
	name=$(cgroup_name "$1")
	for hierarchy in $(hierarchies); do
		echo "$BASHPID" >"$hierarchy/$name/cgroup.procs"
	done
}

remove_cgroups() { # NODE
	local hierarchy name
	name=$(cgroup_name "$1")
	for hierarchy in $(hierarchies); do
		wait_for 20 "the end of cgroup $hierarchy/$name" remove_tree "$hierarchy/$name"
	done
}

remove_tree() { # CGROUP
	[ -d "$1" ] || return 0
	find "$1" -depth -type d -exec rmdir {} +
}

# The kubelet sets these for the whole machine.
SYSCTLS='vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes'

save_sysctls() {
	local name
	for name in $SYSCTLS; do
		printf '%s %s\n' "$name" "$(cat "/proc/sys/${name//.//}")"
	done >"$STATE/sysctls"
}

restore_sysctls() {
	local name value
	[ -e "$STATE/sysctls" ] || return 0
	while read -r name value; do
		echo "$value" >"/proc/sys/${name//.//}"
	done <"$STATE/sysctls"
}
