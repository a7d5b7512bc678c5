# shellcheck shell=bash
# kubeadm, and what is known about the cluster afterwards.

# Longer than kubeadm's own minute: two busy cores need it from cold.
TIMEOUTS='timeouts: {controlPlaneComponentHealthCheck: 4m, kubernetesAPICall: 4m, discovery: 4m, tlsBootstrap: 4m}'
AUDIT_LOG=/var/log/kubernetes/audit/audit.log

start_kubernetes() {
	local token init join
	token=$(openssl rand -hex 3).$(openssl rand -hex 8)
	make_audit_policy "$STATE/nodes/cp-1/root"
	init_config "$token" | place cp-1
	run_init &
	init=$!
	wait_for 120 'the certificates' certified_or_ended "$init"
	# The worker asks again until the control plane answers.
	join_config "$token" | place w-1
	run_join &
	join=$!
	wait "$init"
	wait "$join"
	install -m 0600 "$STATE/nodes/cp-1/root/etc/kubernetes/admin.conf" "$STATE/kubeconfig"
	wait_for 120 'Ready nodes' nodes_ready
	say 'nodes are Ready'
	wait_for 120 'four Running mirrors' mirrors_run
	say 'mirrors are Running'
}

certified_or_ended() { # PID
	[ -e "$STATE/nodes/cp-1/root/etc/kubernetes/pki/ca.crt" ] || ! kill -0 "$1"
}

# Its token makes it secret.
place() { # NODE
	(umask 077 && cat >"$STATE/nodes/$1/root/root/kubeadm.yaml")
}

run_init() {
	say 'kubeadm init'
	in_time cp-1 kubeadm init --config /root/kubeadm.yaml --ignore-preflight-errors=all \
		--skip-phases=addon/coredns,addon/kube-proxy
	say 'kubeadm init done'
}

run_join() {
	say 'kubeadm join'
	in_time w-1 kubeadm join --config /root/kubeadm.yaml --ignore-preflight-errors=all
	say 'kubeadm join done'
}

in_time() { # NODE COMMAND...
	enter "$1" timeout 360 "${@:2}" >"$STATE/nodes/$1/root/var/log/kubeadm.log" 2>&1 9>&-
}

# Every request once, when it is answered; owner and mode as CIS wants them.
make_audit_policy() { # ROOT
	install -d -m 0755 "$1/etc/kubernetes"
	install -d -m 0700 "$1/etc/kubernetes/audit" "$1${AUDIT_LOG%/*}"
	cat >"$1/etc/kubernetes/audit/policy.yaml" <<-'END'
		apiVersion: audit.k8s.io/v1
		kind: Policy
		omitStages: [RequestReceived]
		rules:
		- level: Metadata
	END
	chmod 0600 "$1/etc/kubernetes/audit/policy.yaml"
}

# The last two lines of the kubelet's part: the machine's disk may be as full as it likes. Otherwise
# the kubelet deletes images that nobody can pull again.
init_config() { # TOKEN
	cat <<-END
		apiVersion: kubeadm.k8s.io/v1beta4
		kind: InitConfiguration
		bootstrapTokens: [{token: "$1", ttl: 24h0m0s, groups: ["system:bootstrappers:kubeadm:default-node-token"]}]
		localAPIEndpoint: {advertiseAddress: $(address_of cp-1)}
		nodeRegistration: {name: cp-1, criSocket: "unix:///run/containerd/containerd.sock", imagePullPolicy: IfNotPresent}
		$TIMEOUTS
		---
		apiVersion: kubeadm.k8s.io/v1beta4
		kind: ClusterConfiguration
		kubernetesVersion: $KUBERNETES_VERSION
		networking: {serviceSubnet: 192.0.2.0/24}
		apiServer:
		  extraArgs:
		  - {name: audit-policy-file, value: /etc/kubernetes/audit/policy.yaml}
		  - {name: audit-log-path, value: $AUDIT_LOG}
		  - {name: audit-log-maxage, value: "30"}
		  - {name: audit-log-maxbackup, value: "10"}
		  - {name: audit-log-maxsize, value: "100"}
		  extraVolumes:
		  - {name: audit-policy, hostPath: /etc/kubernetes/audit/policy.yaml, mountPath: /etc/kubernetes/audit/policy.yaml, readOnly: true, pathType: File}
		  - {name: audit-log, hostPath: ${AUDIT_LOG%/*}, mountPath: ${AUDIT_LOG%/*}, pathType: DirectoryOrCreate}
		---
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		cgroupDriver: cgroupfs
		failCgroupV1: false
		failSwapOn: false
		imageGCHighThresholdPercent: 100
		evictionHard: {nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%, imagefs.inodesFree: 0%}
	END
}

join_config() { # TOKEN
	cat <<-END
		apiVersion: kubeadm.k8s.io/v1beta4
		kind: JoinConfiguration
		discovery:
		  bootstrapToken:
		    token: "$1"
		    apiServerEndpoint: $(address_of cp-1):6443
		    caCertHashes: ["sha256:$(ca_hash)"]
		nodeRegistration: {name: w-1, criSocket: "unix:///run/containerd/containerd.sock", imagePullPolicy: IfNotPresent}
		$TIMEOUTS
	END
}

ca_hash() {
	openssl x509 -pubkey -noout -in "$STATE/nodes/cp-1/root/etc/kubernetes/pki/ca.crt" |
		openssl pkey -pubin -outform der | sha256sum | cut -d ' ' -f 1
}

kubectl() {
	at_jump "$BIN/kubectl" --kubeconfig "$STATE/kubeconfig" --request-timeout 10s "$@"
}

nodes_ready() {
	[ "$(kubectl get nodes -o json | jq '[.items[] | select(any(.status.conditions[]; .type == "Ready" and .status == "True"))] | length')" = 2 ]
}

mirrors_run() {
	[ "$(kubectl get pods -n kube-system -o json | jq '[.items[]
		| select(.metadata.annotations["kubernetes.io/config.mirror"])
		| select(any(.status.conditions[]?; .type == "Ready" and .status == "True"))] | length')" = 4 ]
}

# One list, printed for a shell or as JSON.
print_env() { # [--json]
	if [ "${1:-}" = --json ]; then
		facts | jq -Rn '[inputs | split("=") | {key: .[0], value: (.[1:] | join("="))}] | from_entries'
	else
		facts | sed "s/=\(.*\)/='\1'/"
	fi
}

facts() {
	local node
	cat <<-END
		STAKEOUT_CLUSTER_DIR=$STATE
		STAKEOUT_CLUSTER_VERSION=$KUBERNETES_VERSION
		STAKEOUT_CLUSTER_BIN=$BIN
		STAKEOUT_CLUSTER_KUBECONFIG=$STATE/kubeconfig
		STAKEOUT_CLUSTER_NETNS=/proc/$(pid_of "$STATE/jump")/ns/net
		STAKEOUT_CLUSTER_SSH_KEY=$STATE/ssh/key
		STAKEOUT_CLUSTER_SSH_CONFIG=$STATE/ssh/config
		STAKEOUT_CLUSTER_KNOWN_HOSTS=$STATE/ssh/known_hosts
		STAKEOUT_CLUSTER_AUDIT_LOG=$STATE/nodes/cp-1/root$AUDIT_LOG
		STAKEOUT_CLUSTER_IMAGE=$TEST_IMAGE
		STAKEOUT_CLUSTER_NODES=$NODES
	END
	for node in $NODES; do
		echo "STAKEOUT_CLUSTER_ADDRESS_$(tr a-z- A-Z_ <<<"$node")=$(address_of "$node")"
		echo "STAKEOUT_CLUSTER_ROOT_$(tr a-z- A-Z_ <<<"$node")=$STATE/nodes/$node/root"
	done
}

show_logs() { # [NODE]
	local node file
	for node in ${1:-$NODES}; do
		for file in "$STATE/nodes/$node/start.log" "$STATE/nodes/$node"/root/var/log/*.log \
			"$STATE/nodes/$node"/root/var/log/pods/*/*/*.log; do
			[ -s "$file" ] || continue
			printf '\n== %s: %s\n' "$node" "${file#"$STATE/nodes/$node/"}"
			tail -n 15 "$file"
		done
	done
}
