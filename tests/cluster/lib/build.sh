# shellcheck shell=bash
# Builds what the cluster runs, once per release, outside the clone.

# The one place that says a version is go.mod; everything here reads it.
required_version() { # GO_MOD MODULE
	awk -v module="$2" '$1 == "require" { $1 = ""; $0 = $0 } $1 == module && $2 ~ /^v/ { print $2; exit }' "$1"
}

KUBERNETES_VERSION=$(required_version "$HERE/go.mod" k8s.io/kubernetes)
ETCD_VERSION=$(required_version "$HERE/etcd/go.mod" go.etcd.io/etcd/server/v3)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/stakeout/cluster/$KUBERNETES_VERSION
BIN=$CACHE/bin
KUBERNETES_COMMANDS='kube-apiserver kube-controller-manager kube-scheduler kubelet kubeadm kubectl'

# A folder appears under its final name only when everything in it is whole, so
# a build that was cut is made again and never run.
build_all() {
	local command new
	if have_all; then return 0; fi
	say "building Kubernetes $KUBERNETES_VERSION and etcd $ETCD_VERSION (some minutes, once)"
	mkdir -p "$BIN"
	exec 8>"$CACHE/lock"
	flock 8
	rm -rf "$CACHE"/.new.*
	new=$(mktemp -d "$CACHE/.new.XXXXXX")
	have_all || build_kubernetes "$new"
	have_all || build_etcd "$new"
	have_all || build_pause "$new"
	for command in "$new"/*; do
		[ -e "$command" ] && mv -f "$command" "$BIN/"
	done
	rmdir "$new"
	exec 8>&-
}

have_all() {
	local command
	for command in $KUBERNETES_COMMANDS etcd pause; do
		[ -x "$BIN/$command" ] || return 1
	done
}

build_kubernetes() { # FOLDER
	local version=${KUBERNETES_VERSION#v} stamp packages command
	# kubeadm refuses to work with components that do not say their version.
	stamp="-X k8s.io/component-base/version.gitVersion=v$version"
	stamp="$stamp -X k8s.io/component-base/version.gitMajor=${version%%.*}"
	version=${version#*.}
	stamp="$stamp -X k8s.io/component-base/version.gitMinor=${version%%.*}"
	packages=
	for command in $KUBERNETES_COMMANDS; do
		packages="$packages k8s.io/kubernetes/cmd/$command"
	done
	# shellcheck disable=SC2086
	go_build "$HERE" "-s -w $stamp" -o "$1/" $packages
}

build_etcd() { # FOLDER
	go_build "$HERE/etcd" '-s -w' -o "$1/etcd" go.etcd.io/etcd/server/v3
}

# Static, because an image holds this one file.
build_pause() { # FOLDER
	cc -Os -static -o "$1/pause" "$HERE/lib/pause.c"
}

go_build() { # MODULE_FOLDER LDFLAGS ARGS...
	local module=$1 ldflags=$2
	shift 2
	(cd "$module" && CGO_ENABLED=0 nice go build -trimpath -buildvcs=false -ldflags "$ldflags" "$@")
}
