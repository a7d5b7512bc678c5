# shellcheck shell=bash
# Images without a registry: archives that hold one static binary each.

# For tests' own static pods: a shell and the usual commands.
TEST_IMAGE=stakeout.test/busybox:1
IMAGE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Named by what they are made with, so that a change here makes them anew.
IMAGES=$CACHE/images-$(cat "$HERE/lib/images.sh" "$HERE/lib/pause.c" | cksum | cut -d ' ' -f 1)

build_images() {
	local name new
	[ ! -e "$IMAGES" ] || return 0
	say 'making images'
	new=$(mktemp -d "$CACHE/.images.XXXXXX")
	for name in $(kubeadm_images); do
		image_of "$name" "$new"
	done
	image_of_busybox "$new"
	mv -T "$new" "$IMAGES" 2>/dev/null || rm -rf "$new"
}

kubeadm_images() {
	"$BIN/kubeadm" config images list --kubernetes-version "$KUBERNETES_VERSION"
}

pause_image() { kubeadm_images | grep '/pause:'; }

image_of() { # NAME FOLDER
	local short=${1##*/} root
	short=${short%%:*}
	# Of kubeadm's list coredns and kube-proxy are addons that are not installed.
	[ -e "$BIN/$short" ] || return 0
	root=$(mktemp -d "$2/root.XXXXXX")
	if [ "$short" = pause ]; then
		install -D -m 0755 "$BIN/pause" "$root/pause"
		archive "$1" "$root" "$2/$short.tar" '["/pause"]'
	else
		install -D -m 0755 "$BIN/$short" "$root/usr/local/bin/$short"
		archive "$1" "$root" "$2/$short.tar" null
	fi
}

image_of_busybox() { # FOLDER
	local root applet
	root=$(mktemp -d "$1/root.XXXXXX")
	mkdir -p "$root/bin" "$root/tmp" "$root/etc"
	chmod 1777 "$root/tmp"
	echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
	install -m 0755 "$(command -v busybox)" "$root/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	archive "$TEST_IMAGE" "$root" "$1/busybox.tar" null
}

# The layout of `docker save`, which `ctr images import` reads.
archive() { # NAME ROOT TAR ENTRYPOINT
	local work=$2.archive digest
	mkdir "$work"
	chmod 0755 "$2"
	tar -C "$2" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/layer.tar" .
	digest=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
	jq -n --arg arch "$(go env GOARCH)" --arg path "PATH=$IMAGE_PATH" --argjson entry "$4" --arg layer "sha256:$digest" \
		'{architecture: $arch, os: "linux", created: "1970-01-01T00:00:00Z",
		  config: {Env: [$path], Entrypoint: $entry},
		  rootfs: {type: "layers", diff_ids: [$layer]}}' >"$work/config.json"
	jq -n --arg name "$1" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$work/manifest.json"
	tar -C "$work" -cf "$3" manifest.json config.json layer.tar
	rm -rf "$work" "$2"
}
