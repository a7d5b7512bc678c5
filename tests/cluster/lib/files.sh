# shellcheck shell=bash
# The files that a node has before Kubernetes comes.

make_keys() {
	local node
	[ -e "$STATE/ssh/key" ] || new_key "$STATE/ssh/key" stakeout-test
	: >"$STATE/ssh/known_hosts"
	: >"$STATE/ssh/config"
	for node in $NODES; do
		[ -e "$STATE/ssh/host_$node" ] || new_key "$STATE/ssh/host_$node" "$node"
		printf '%s,%s %s\n' "$node" "$(address_of "$node")" "$(cut -d ' ' -f 1,2 "$STATE/ssh/host_$node.pub")" \
			>>"$STATE/ssh/known_hosts"
		cat >>"$STATE/ssh/config" <<-END
			Host $node $(address_of "$node")
			    HostName $(address_of "$node")
			    User root
			    IdentityFile $STATE/ssh/key
			    IdentitiesOnly yes
			    UserKnownHostsFile $STATE/ssh/known_hosts
		END
	done
}

new_key() { # FILE COMMENT
	ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1"
}

# Programs come from the machine (inside.sh); all else a node has for itself.
make_node_files() { # NODE
	local folder=$STATE/nodes/$1 root=$STATE/nodes/$1/root
	mkdir -p "$root" "$folder/usr" "$folder/usr.work"
	chmod 0755 "$folder" "$root" "$folder/usr"
	make_skeleton "$root"
	cp -a /etc "$root/etc"
	rm -rf "$root/etc/kubernetes" "$root"/etc/ssh/ssh_host_*
	make_identity "$1" "$root"
	make_users "$root"
	make_sshd "$1" "$root"
	make_containerd "$root"
	make_cni "$1" "$root"
}

make_skeleton() { # ROOT
	local name
	(
		cd "$1" || exit
		mkdir -p boot dev home media mnt opt proc run srv sys tmp usr var \
			var/cache var/lib var/local var/log var/mail var/opt var/spool var/tmp
		mkdir -m 0700 root
		chmod 1777 tmp var/tmp
		ln -s /run var/run
		ln -s /run/lock var/lock
	)
	for name in bin lib lib32 lib64 libx32 sbin; do
		[ ! -L "/$name" ] || cp -P "/$name" "$1/$name"
	done
}

make_identity() { # NODE ROOT
	local node
	echo "$1" >"$2/etc/hostname"
	# The kubelet reports this file as nodeInfo.machineID.
	openssl rand -hex 16 >"$2/etc/machine-id"
	chmod 0444 "$2/etc/machine-id"
	echo '127.0.0.1 localhost' >"$2/etc/hosts"
	for node in $NODES; do
		printf '%s %s\n' "$(address_of "$node")" "$node" >>"$2/etc/hosts"
	done
	# Nobody answers there, and says so at once.
	rm -f "$2/etc/resolv.conf"
	echo "nameserver $JUMP_ADDRESS" >"$2/etc/resolv.conf"
}

# `audit` may log in and no more; `ops` may also become root.
make_users() { # ROOT
	local user id=1900
	for user in audit ops; do
		id=$((id + 1))
		echo "$user:x:$id:$id::/home/$user:/bin/sh" >>"$1/etc/passwd"
		echo "$user:x:$id:" >>"$1/etc/group"
		# An asterisk, not an exclamation mark: no password, but not locked.
		echo "$user:*:19000:0:99999:7:::" >>"$1/etc/shadow"
		mkdir -m 0700 "$1/home/$user"
		authorize "$1/home/$user"
		chown -R "$id:$id" "$1/home/$user"
	done
	echo 'ops ALL=(root) NOPASSWD: ALL' >"$1/etc/sudoers.d/ops"
	chmod 0440 "$1/etc/sudoers.d/ops"
	authorize "$1/root"
}

authorize() { # HOME
	mkdir -m 0700 "$1/.ssh"
	install -m 0600 "$STATE/ssh/key.pub" "$1/.ssh/authorized_keys"
}

make_sshd() { # NODE ROOT
	install -m 0600 "$STATE/ssh/host_$1" "$2/etc/ssh/ssh_host_ed25519_key"
	install -m 0644 "$STATE/ssh/host_$1.pub" "$2/etc/ssh/ssh_host_ed25519_key.pub"
	# No PAM: it would ask for a session manager that is not there. Tests open
	# many connections at once, so none is turned away.
	cat >"$2/etc/ssh/sshd_config" <<-'END'
		HostKey /etc/ssh/ssh_host_ed25519_key
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		UsePAM no
		UseDNS no
		MaxStartups 200
		Subsystem sftp internal-sftp
	END
}

make_containerd() { # ROOT
	mkdir -p "$1/etc/containerd"
	cat >"$1/etc/containerd/config.toml" <<-END
		version = 2
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "$(pause_image)"
		  # Without CAP_SYS_RESOURCE no score can be lowered, and runc fails on it.
		  restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		  bin_dir = "/usr/lib/cni"
		  conf_dir = "/etc/cni/net.d"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		  runtime_type = "io.containerd.runc.v2"
	END
}

make_cni() { # NODE ROOT
	local subnet
	case $1 in
	cp-1) subnet=203.0.113.0/25 ;;
	*) subnet=203.0.113.128/25 ;;
	esac
	mkdir -p "$2/etc/cni/net.d"
	cat >"$2/etc/cni/net.d/10-bridge.conflist" <<-END
		{"cniVersion": "0.4.0", "name": "pods", "plugins": [
		  {"type": "bridge", "bridge": "cni0", "isGateway": true,
		   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$subnet"}]],
		            "routes": [{"dst": "0.0.0.0/0"}]}}]}
	END
}
