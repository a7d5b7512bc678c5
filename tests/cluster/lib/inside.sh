#!/usr/bin/env bash
# Becomes a node. Runs twice: in the new mount, network, uts, ipc and cgroup
# namespaces, and again as process 1 of the node's process namespace.
set -euo pipefail

NODE=$1 ADDRESS=$2 FOLDER=$3 JUMP=$4 BIN=$5 IMAGES=$6 STAGE=${7:-outer}
ROOT=$FOLDER/root

outer() {
	connect
	exec unshare --pid --fork --kill-child bash "$0" "$NODE" "$ADDRESS" "$FOLDER" "$JUMP" "$BIN" "$IMAGES" inner
}

# Process ids still mean to the kernel here what they mean on the machine.
connect() {
	nsenter --net="/proc/$JUMP/ns/net" ip link add "$NODE" type veth peer name eth0 netns $$
	nsenter --net="/proc/$JUMP/ns/net" ip link set "$NODE" master br0 up
	ip link set lo up
	ip addr add "$ADDRESS/24" dev eth0
	ip link set eth0 up
	ip route add default via "${ADDRESS%.*}.1"
}

inner() {
	local pid
	# /proc is still the machine's, so this is the id the machine knows us by.
	read -r pid _ </proc/self/stat
	echo "$pid" >"$FOLDER/pid.new"
	hostname "$NODE"
	build_root
	cd "$ROOT"
	mkdir -p .machine
	pivot_root . .machine
	umount -l /.machine
	rmdir /.machine
	# The kubelet's mounts have to reach the containers.
	mount --make-rshared /
	start_services
	# Process 1 has to reap; the services stay its children.
	exec /usr/libexec/node-init
}

build_root() {
	mount --bind "$ROOT" "$ROOT"
	mount_usr
	mount --bind /dev "$ROOT/dev"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$ROOT/dev/pts"
	mount -t tmpfs -o mode=1777 tmpfs "$ROOT/dev/shm"
	mount -t proc proc "$ROOT/proc"
	mount -t sysfs sysfs "$ROOT/sys"
	mount_cgroups
	mount -t tmpfs -o mode=0755 tmpfs "$ROOT/run"
	mkdir -p "$ROOT/run/keep" "$ROOT/run/lock" "$ROOT/run/images"
	mount --bind "$IMAGES" "$ROOT/run/images"
}

# The machine's programs, on which a node may write without the machine seeing it.
mount_usr() {
	local command
	mount -t overlay -o "lowerdir=/usr,upperdir=$FOLDER/usr,workdir=$FOLDER/usr.work" overlay "$ROOT/usr"
	for command in kubelet kubeadm kubectl; do
		rm -f "$ROOT/usr/bin/$command"
		touch "$ROOT/usr/bin/$command"
		mount --bind "$BIN/$command" "$ROOT/usr/bin/$command"
		mount -o remount,bind,ro "$ROOT/usr/bin/$command"
	done
	install -m 0755 "$BIN/pause" "$ROOT/usr/libexec/node-init"
}

# Mounted anew, because the root of a hierarchy is then this node's own cgroup.
mount_cgroups() {
	local hierarchy name
	mount -t tmpfs -o mode=0755 tmpfs "$ROOT/sys/fs/cgroup"
	for hierarchy in /sys/fs/cgroup/*/; do
		name=$(basename "$hierarchy")
		[ "$name" != unified ] || continue
		mkdir "$ROOT/sys/fs/cgroup/$name"
		if [ "$name" = systemd ]; then
			mount -t cgroup -o none,name=systemd cgroup "$ROOT/sys/fs/cgroup/$name"
		else
			mount -t cgroup -o "$name" cgroup "$ROOT/sys/fs/cgroup/$name"
		fi
	done
}

start_services() {
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
	mkdir -p /run/sshd
	keep containerd containerd &
	keep sshd /usr/sbin/sshd -D -e &
	keep kubelet run_kubelet &
	import_images >/var/log/images.log 2>&1 &
}

# What systemd would do: start again what ended, unless it was switched off.
keep() { # NAME COMMAND...
	local name=$1
	shift
	while :; do
		if [ ! -e "/run/keep/$name.off" ]; then
			"$@" >>"/var/log/$name.log" 2>&1 &
			echo $! >"/run/keep/$name.pid"
			wait $! || true
		fi
		sleep 0.5
	done
}

# The command line of kubeadm's unit file. Until kubeadm has been there, none.
run_kubelet() {
	local KUBELET_KUBEADM_ARGS=
	[ -e /var/lib/kubelet/kubeadm-flags.env ] || exit 0
	# shellcheck source=/dev/null
	. /var/lib/kubelet/kubeadm-flags.env
	# shellcheck disable=SC2086
	exec /usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
		--kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml \
		$KUBELET_KUBEADM_ARGS
}

import_images() {
	local archive
	until ctr version >/dev/null 2>&1; do sleep 0.1; done
	for archive in /run/images/*.tar; do
		case $NODE:${archive##*/} in
		w-*:etcd.tar | w-*:kube-*) continue ;;
		esac
		ctr -n k8s.io images import "$archive"
	done
	umount /run/images
	rmdir /run/images
	touch /run/images-ready
}

"$STAGE"
